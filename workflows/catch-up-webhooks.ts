/** Asks Stripe for the events that it could not deliver, and feeds them through the same inbox. */
import { listingActivities } from './activity-options.ts';
import type { InputOf, ResultOf } from '../engine/contract.ts';

export async function catchUpWebhooks(
  input: InputOf<'catchUpWebhooks'> = {},
): Promise<ResultOf<'catchUpWebhooks'>> {
  return await listingActivities().catchUpEvents(input);
}
