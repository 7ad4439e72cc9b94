import type { Activity } from './activity.ts';
import { StripeError } from './errors.ts';
import type { Fault } from './faults.ts';
import type { Incoming, Outgoing } from './pipeline-types.ts';

/** An error as Stripe's answer; an unknown one is the double's own defect, and says so. */
export function answerOf(error: unknown): Outgoing & { kind: 'answer' } {
  if (error instanceof StripeError) return json(error.status, error.body);
  const message = `The Stripe double itself failed: ${error instanceof Error ? error.message : String(error)}`;
  return json(500, new StripeError(500, message).body);
}

/** An answer with a JSON body. */
export function json(status: number, body: object): Outgoing & { kind: 'answer' } {
  return { kind: 'answer', status, body: JSON.stringify(body), headers: {} };
}

/** Statuses that Stripe gives before the endpoint runs, and so does not save under a key. */
const unsavedStatuses = new Set([401, 403, 409, 429]);

/** What a fault makes Stripe's endpoint answer. */
export function errorOf(fault: Fault): StripeError {
  const isError = fault.kind === 'error';
  const status = fault.status ?? (isError ? 400 : 500);
  const message =
    fault.message ??
    `An unknown error occurred (the double was told to ${isError ? 'refuse' : 'fail'}).`;
  return new StripeError(status, message, {
    ...(fault.code === undefined ? {} : { code: fault.code }),
    ...(status === 402 ? { type: 'card_error' } : {}),
    saved: !unsavedStatuses.has(status),
  });
}

/** Faults in front of the endpoint: nothing is applied, and nothing is saved under a key. */
export function applyEdgeFault(fault: Fault, incoming: Incoming): Outgoing {
  switch (fault.kind) {
    case 'drop_before':
      incoming.destroy();
      return { kind: 'dropped' };
    case 'html_502':
      return {
        kind: 'answer',
        status: 502,
        body: '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n',
        headers: { 'content-type': 'text/html' },
      };
    case 'rate_limit':
      return edgeError(fault, 429, 'rate_limit');
    default:
      return edgeError(fault, 503, undefined);
  }
}

/** Never answers; ends when the client has left, or when the double is told to let go. */
export async function hang(activity: Activity, incoming: Incoming): Promise<Outgoing> {
  await activity.hang(incoming.gone, incoming.destroy);
  return { kind: 'dropped' };
}

function edgeError(fault: Fault, status: number, code: string | undefined): Outgoing {
  const name = fault.code ?? code;
  const message = fault.message ?? `The double was told to answer ${fault.status ?? status}.`;
  const details = name === undefined ? {} : { code: name };
  const answer = answerOf(new StripeError(fault.status ?? status, message, details));
  if (fault.retryAfter === undefined) return answer;
  return { ...answer, headers: { 'retry-after': String(fault.retryAfter) } };
}
