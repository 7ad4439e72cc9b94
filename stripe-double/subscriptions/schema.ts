import { z } from 'zod';

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
