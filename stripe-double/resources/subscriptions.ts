import { z } from 'zod';
import type { Account } from './account.ts';
import { renderSubscription } from './subscription-view.ts';

const itemSchema = z.object({
  id: z.string(),
  created: z.int(),
  metadata: z.record(z.string(), z.string()),
  price: z.string(),
  /** null for a metered price. */
  quantity: z.int().nullable(),
});
export type SubscriptionItem = z.infer<typeof itemSchema>;

export const subscriptionSchema = z.object({
  id: z.string(),
  billingCycleAnchor: z.int(),
  cancelAt: z.int().nullable(),
  cancelAtPeriodEnd: z.boolean(),
  canceledAt: z.int().nullable(),
  cancellation: z.object({
    comment: z.string().nullable(),
    feedback: z.string().nullable(),
    reason: z.string().nullable(),
  }),
  collectionMethod: z.enum(['charge_automatically', 'send_invoice']),
  created: z.int(),
  currency: z.string(),
  customer: z.string(),
  daysUntilDue: z.int().nullable(),
  defaultPaymentMethod: z.string().nullable(),
  description: z.string().nullable(),
  endedAt: z.int().nullable(),
  items: z.array(itemSchema),
  latestInvoice: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  pauseCollection: z
    .object({
      behavior: z.enum(['keep_as_draft', 'mark_uncollectible', 'void']),
      resumesAt: z.int().nullable(),
    })
    .nullable(),
  pausedAt: z.int().nullable(),
  /** One period for all items: the double mixes no intervals. */
  period: z.object({ start: z.int(), end: z.int() }),
  status: z.enum(['active', 'canceled', 'incomplete', 'past_due', 'paused', 'unpaid']),
});
export type Subscription = z.infer<typeof subscriptionSchema>;

type EventType = 'created' | 'deleted' | 'paused' | 'resumed';

/** Keeps a changed subscription, and records what changed. */
export function saveSubscription(account: Account, subscription: Subscription): Subscription {
  const before = account.subscriptions.get(subscription.id);
  account.subscriptions.put(subscription.id, subscription);
  if (before !== undefined) {
    const was = renderSubscription(account, before);
    const is = renderSubscription(account, subscription);
    account.events.changed('customer.subscription.updated', was, is);
  }
  return subscription;
}

/** Keeps a subscription to which something happened that has an event of its own. */
export function putSubscription(
  account: Account,
  subscription: Subscription,
  type: EventType,
): Subscription {
  account.subscriptions.put(subscription.id, subscription);
  const shown = renderSubscription(account, subscription);
  account.events.happened(`customer.subscription.${type}`, shown);
  return subscription;
}
