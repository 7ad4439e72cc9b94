/** All activities of the main queue, and those of the rate-limited Stripe queue. */
import { createDeliveryActivities, createStripeActivities } from './delivery.ts';
import type { Dependencies } from './dependencies.ts';
import { createProcessingActivities } from './processing.ts';
import { createStorageActivities } from './storage.ts';
import { createEventActivities, createWebhookActivities } from './webhooks.ts';

export function createActivities(deps: Dependencies) {
  return {
    ...createProcessingActivities(deps),
    ...createDeliveryActivities(deps),
    ...createStorageActivities(deps),
    ...createWebhookActivities(deps),
  };
}

export { createEventActivities, createStripeActivities };

export type Activities = ReturnType<typeof createActivities>;
export type EventActivities = ReturnType<typeof createEventActivities>;
export type StripeActivities = ReturnType<typeof createStripeActivities>;
export type { ApplyFailure, ApplyOutcome } from './apply-events.ts';
