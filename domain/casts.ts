/**
 * A cast: one call of the guarded API that makes a processing run. What it may cost is fixed when its
 * cents are set aside, and travels with it, so that settling needs no price list of a later day (GA2).
 */
import { castCents, mostBudgetCents } from './budgets.ts';
import type { CastPrice, Reservation } from './budgets.ts';
import { BillingError } from './errors.ts';

/** A cast is answered in seconds: larger jobs are for `durabill process submit`. */
export const mostFilesPerCast = 1000;
const longestIdempotencyKey = 255;
/**
 * A workflow that starts later than this after its reservation does nothing: the reservation may be given
 * back by then. A server starts it within seconds, or has been stopped in between.
 */
const startWithinMs = 60_000;
/** Reservations younger than this are left alone by the repair: their workflow may yet start. */
export const repairAfterMs = 2 * startWithinMs;

/** A file as it was when its bytes were priced. */
export interface FileVersion {
  bytes: number;
  etag: string;
}

/** What a processing knows of the cast that made it. */
export interface Cast {
  /** YYYY-MM, UTC: the month that pays, for good (GA12). */
  period: string;
  cents: number;
  /** When the cents were set aside, or last asked for again, in Temporal's time; ISO 8601. */
  at: string;
  /** Of its reservation. */
  token: string;
  price: CastPrice;
  /** Set aside while the tables were away: the workflow writes it down (GA5). */
  outage?: true;
  /** Where bytes are priced: one for each file, in the order of the files. */
  versions?: FileVersion[];
}

export function reservationOf(processingId: string, customerId: string, cast: Cast): Reservation {
  const { period, cents, token } = cast;
  return { customerId, period, reservationId: processingId, cents, token };
}

/** What a cast that completed costs: never more than was set aside. */
export function costOf(cast: Cast, totalBytes: number): number {
  return Math.min(castCents(cast.price, totalBytes), cast.cents);
}

/** What a cast will cost at most, before it runs. */
export function priceCast(price: CastPrice, versions: readonly FileVersion[]): number {
  return castCents(
    price,
    versions.reduce((total, { bytes }) => total + BigInt(bytes), 0n),
  );
}

/** Whether bytes cost anything: only then are the files looked at before they are run. */
export function pricesBytes({ centsPerByte }: CastPrice): boolean {
  return /[1-9]/.test(centsPerByte);
}

/** Whether a workflow began too late for its reservation. */
export function hasLapsed(cast: Pick<Cast, 'at'>, startedAt: Date): boolean {
  return startedAt.getTime() - Date.parse(cast.at) > startWithinMs;
}

/** Throws BillingError `invalid_request`. */
export function parseIdempotencyKey(key: string): string {
  if (key !== '' && key.length <= longestIdempotencyKey && !/\p{Cc}/u.test(key)) return key;
  throw new BillingError(
    'invalid_request',
    `Idempotency-Key: 1 to ${longestIdempotencyKey} characters, none of them a control character`,
  );
}

/** From anyone who may start a workflow. Throws BillingError `invalid_request`. */
export function parseCast(given: unknown, fileCount: number): Cast | undefined {
  if (given === undefined) return undefined;
  const cast = given as Partial<Record<keyof Cast, unknown>> | null;
  const { period, cents, at, token, price, outage, versions } = cast ?? {};
  if (typeof period !== 'string' || !/^\d{4}-\d{2}$/.test(period)) throw wrong('period');
  if (!isCents(cents)) throw wrong('cents');
  if (typeof at !== 'string' || Number.isNaN(Date.parse(at))) throw wrong('at');
  if (typeof token !== 'string' || token === '') throw wrong('token');
  return {
    period,
    cents,
    at,
    token,
    price: parsePrice(price),
    ...(outage === true ? { outage } : {}),
    ...(versions === undefined ? {} : { versions: parseVersions(versions, fileCount) }),
  };
}

function parsePrice(given: unknown): CastPrice {
  const { centsPerCast, centsPerByte } = (given ?? {}) as Partial<Record<keyof CastPrice, unknown>>;
  const isDecimal = typeof centsPerByte === 'string' && /^\d+(\.\d+)?$/.test(centsPerByte);
  if (!isCents(centsPerCast) || !isDecimal) throw wrong('price');
  return { centsPerCast, centsPerByte };
}

function parseVersions(given: unknown, fileCount: number): FileVersion[] {
  if (!Array.isArray(given) || given.length !== fileCount) throw wrong('versions');
  return given.map((version: unknown) => {
    const { bytes, etag } = (version ?? {}) as Partial<Record<keyof FileVersion, unknown>>;
    const isSize = typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0;
    if (!isSize || typeof etag !== 'string') throw wrong('versions');
    return { bytes, etag };
  });
}

function isCents(value: unknown): value is number {
  return (
    typeof value === 'number' &&
    Number.isSafeInteger(value) &&
    value >= 0 &&
    value <= mostBudgetCents
  );
}

function wrong(what: string): BillingError {
  return new BillingError('invalid_request', `cast.${what} is not as the API writes it`);
}

/** What the repair may do with a reservation that stands open, by what became of its processing. */
export type Fate =
  /** It runs, or may yet start. */
  | { do: 'wait' }
  /** Ended: the reservation ends with what it cost. */
  | { do: 'settle'; cents: number }
  /** Its workflow is gone, and the row does not know: it is failed first. */
  | { do: 'fail' };

/**
 * Of the reservation with this token. A processing has one of its own, which it settles itself; another
 * one under its id was set aside by a repeated request, and costs nothing.
 */
export function fateOf(
  token: string,
  row: { status: string; castToken?: string; costCents?: number } | undefined,
  isRunning: boolean,
): Fate {
  if (row !== undefined && row.castToken !== token) return { do: 'settle', cents: 0 };
  if (row?.status === 'completed') return { do: 'settle', cents: row.costCents ?? 0 };
  if (row?.status === 'failed') return { do: 'settle', cents: 0 };
  if (isRunning) return { do: 'wait' };
  return row === undefined ? { do: 'settle', cents: 0 } : { do: 'fail' };
}
