/** What an error from Stripe means for the call that met it (DL3). Pure: the facts come as data. */

/** The facts of a failed call; `statusCode` is undefined when no answer came or a proxy sent HTML. */
export interface StripeErrorFacts {
  type: string;
  statusCode?: number;
  code?: string;
  message: string;
  headers?: Readonly<Record<string, string>>;
}

export type StripeProblem =
  /** The event is there already: success (FM8). */
  | { kind: 'already_exists' }
  /** Network, 409, 429, 5xx: again, with backoff. */
  | { kind: 'transient'; message: string; retryAfterMs?: number }
  /** The key is tied to an old answer (a saved 5xx, or other parameters): again with a fresh key. */
  | { kind: 'spent_key'; message: string }
  /** 401, 403: every call would fail alike, so the whole delivery stops. */
  | { kind: 'unauthorized'; message: string }
  /** Stripe will never take this. */
  | { kind: 'refused'; message: string };

/** Stripe's wording, without a code (facts: stripe 23.1.0): "An event already exists with identifier X." */
const alreadyExists = /^An event already exists with identifier /;

export function classifyStripeError(error: StripeErrorFacts): StripeProblem {
  const message = describe(error);
  if (error.statusCode === 400 && alreadyExists.test(error.message)) {
    return { kind: 'already_exists' };
  }
  if (error.type === 'StripeIdempotencyError') return { kind: 'spent_key', message };
  const status = error.statusCode;
  if (status === undefined || status >= 500) {
    const replayed = error.headers?.['idempotent-replayed'] === 'true';
    return replayed ? { kind: 'spent_key', message } : transient(message, error);
  }
  if (status === 409 || status === 429 || status === 408) return transient(message, error);
  if (status === 401 || status === 403) return { kind: 'unauthorized', message };
  if (status >= 400) return { kind: 'refused', message };
  // A 2xx or 3xx that the SDK could not read: the answer is lost, the call may have been applied.
  return transient(message, error);
}

function transient(message: string, error: StripeErrorFacts): StripeProblem {
  const retryAfterMs = parseRetryAfter(error.headers?.['retry-after']);
  return { kind: 'transient', message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** Seconds only, as Stripe sends it; capped, so that a bad header cannot park a record for a year. */
function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined || !/^[0-9]{1,9}$/.test(header)) return undefined;
  return Math.min(Number(header) * 1000, 300_000);
}

function describe(error: StripeErrorFacts): string {
  const status = error.statusCode === undefined ? 'no answer' : `HTTP ${error.statusCode}`;
  const code = error.code === undefined ? '' : ` ${error.code}`;
  return `Stripe ${status}${code}: ${error.message.slice(0, 500)}`;
}
