/**
 * Counts the calls that Stripe's SDK makes. It repeats a call by itself, once, when its connection was closed
 * (`_shouldRetry` in the SDK's RequestSender, whatever `maxNetworkRetries` says), and does not tell in its error.
 */
import type Stripe from 'stripe';

/** The SDK declares its emitter as `any`. */
interface Emitter {
  on: (event: 'request', hear: (request: Stripe.RequestEvent) => void) => void;
}

/** Of each client, the calls under the keys that somebody counts. One listener each: Node warns of many. */
const counted = new WeakMap<Stripe, Map<string, number>>();

/** Begins to count; `end` tells how many calls there were under that Idempotency-Key. */
export function countCalls(stripe: Stripe, idempotencyKey: string): { end: () => number } {
  const calls = counted.get(stripe) ?? listen(stripe);
  calls.set(idempotencyKey, 0);
  const end = (): number => {
    const made = calls.get(idempotencyKey) ?? 0;
    calls.delete(idempotencyKey);
    return made;
  };
  return { end };
}

function listen(stripe: Stripe): Map<string, number> {
  const calls = new Map<string, number>();
  counted.set(stripe, calls);
  (stripe as Emitter).on('request', ({ idempotency_key: key = '' }) => {
    const made = calls.get(key);
    if (made !== undefined) calls.set(key, made + 1);
  });
  return calls;
}
