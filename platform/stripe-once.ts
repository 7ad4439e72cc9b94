/** Makes something at Stripe once, whatever Stripe remembers of earlier failures. */
import Stripe from 'stripe';

/** Stripe saves failures under a key and replays them for a day; so many keys are tried. */
const mostKeys = 5;

/**
 * Creates under a key made of the object's facts. A failure that is replayed tells of an earlier day:
 * it costs one more key.
 */
export async function createOnce<T>(
  key: string,
  create: (idempotencyKey: string) => Promise<T>,
): Promise<T> {
  for (let number = 1; ; number += 1) {
    try {
      return await create(number === 1 ? key : `${key}/${number}`);
    } catch (error) {
      if (number >= mostKeys || !isReplayed(error)) throw error;
    }
  }
}

function isReplayed(error: unknown): boolean {
  if (!(error instanceof Stripe.errors.StripeError)) return false;
  return error.headers?.['idempotent-replayed'] === 'true';
}
