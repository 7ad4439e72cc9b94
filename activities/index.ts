/** The activities of each queue. How they fail is decided here, for all of them. */
import { createAlertActivities } from './alerts.ts';
import { createDeliveryActivities, createSendActivities } from './delivery.ts';
import type { Dependencies } from './dependencies.ts';
import { failingAsActivities } from './failures.ts';
import { createProcessingActivities } from './processing.ts';
import { createStorageActivities } from './storage.ts';
import { createApplyActivities, createWebhookActivities } from './webhooks.ts';

export function createActivities(deps: Dependencies) {
  return failingAsActivities({
    ...createProcessingActivities(deps),
    ...createDeliveryActivities(deps),
    ...createStorageActivities(deps),
    ...createWebhookActivities(deps),
    ...createAlertActivities(deps),
  });
}

/** Of the queue whose calls to Stripe Temporal limits. */
export function createStripeActivities(deps: Dependencies) {
  return failingAsActivities(createSendActivities(deps));
}

/** Of the queue for Stripe's events. */
export function createEventActivities(deps: Dependencies) {
  return failingAsActivities(createApplyActivities(deps));
}

export type Activities = ReturnType<typeof createActivities>;
export type EventActivities = ReturnType<typeof createEventActivities>;
export type StripeActivities = ReturnType<typeof createStripeActivities>;
export type { ApplyFailure, ApplyOutcome } from './apply-events.ts';
