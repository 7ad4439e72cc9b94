/** Asks Stripe for the events that it could not deliver, and feeds them through the same inbox. */
import { listingActivities } from './activity-options.ts';
import type { CatchUpInput } from '../engine/contract.ts';

export async function catchUpWebhooks(
  input: CatchUpInput = {},
): Promise<{ seen: number; added: number }> {
  return await listingActivities.catchUpEvents(input);
}
