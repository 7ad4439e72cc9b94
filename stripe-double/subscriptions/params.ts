import { z } from 'zod';
import { boolean, clearableText, expand, integer, metadata, text } from '../core/params.ts';

const collectionMethod = z.enum(['charge_automatically', 'send_invoice']).optional();
const prorationBehavior = z.enum(['always_invoice', 'create_prorations', 'none']).optional();
const cancellationDetails = z
  .strictObject({
    comment: clearableText.optional(),
    feedback: z
      .enum([
        'customer_service',
        'low_quality',
        'missing_features',
        'other',
        'switched_service',
        'too_complex',
        'too_expensive',
        'unused',
      ])
      .optional(),
  })
  .optional();

/** The parameters of subscriptions that the double knows; it refuses the others. */
export const createParams = z.strictObject({
  cancel_at_period_end: boolean.optional(),
  collection_method: collectionMethod,
  customer: text,
  days_until_due: integer.optional(),
  default_payment_method: text.optional(),
  description: text.optional(),
  expand,
  items: z
    .array(
      z.strictObject({
        metadata: metadata.optional(),
        price: text,
        quantity: integer.optional(),
      }),
    )
    .min(1)
    .max(20),
  metadata: metadata.optional(),
  off_session: boolean.optional(),
  payment_behavior: z
    .enum(['allow_incomplete', 'default_incomplete', 'error_if_incomplete'])
    .optional(),
  proration_behavior: prorationBehavior,
});
export const updateParams = z.strictObject({
  cancel_at: z.union([z.literal('').transform(() => null), integer]).optional(),
  cancel_at_period_end: boolean.optional(),
  cancellation_details: cancellationDetails,
  collection_method: collectionMethod,
  days_until_due: integer.optional(),
  default_payment_method: text.optional(),
  description: clearableText.optional(),
  expand,
  items: z
    .array(
      z.strictObject({
        clear_usage: boolean.optional(),
        deleted: boolean.optional(),
        id: text.optional(),
        metadata: metadata.optional(),
        price: text.optional(),
        quantity: integer.optional(),
      }),
    )
    .max(20)
    .optional(),
  metadata: metadata.optional(),
  off_session: boolean.optional(),
  pause_collection: z
    .union([
      z.literal('').transform(() => null),
      z.strictObject({
        behavior: z.enum(['keep_as_draft', 'mark_uncollectible', 'void']),
        resumes_at: integer.optional(),
      }),
    ])
    .optional(),
  payment_behavior: text.optional(),
  proration_behavior: prorationBehavior,
});
export type SubscriptionUpdate = z.infer<typeof updateParams>;

export const cancelParams = z.strictObject({
  cancellation_details: cancellationDetails,
  expand,
  invoice_now: boolean.optional(),
  prorate: boolean.optional(),
});
export const pauseParams = z.strictObject({
  bill_for: z
    .strictObject({
      outstanding_usage_through: z.strictObject({ type: z.enum(['none', 'now']) }).optional(),
      unused_time_from: z
        .strictObject({ type: z.enum(['item_current_period_start', 'none', 'now']) })
        .optional(),
    })
    .optional(),
  expand,
  invoicing_behavior: z.enum(['invoice', 'pending_invoice_item']).optional(),
  type: z.literal('subscription').optional(),
});
export const resumeParams = z.strictObject({
  /** A hash since endive; it was a word before. */
  billing_cycle_anchor: z.strictObject({ type: z.enum(['now', 'unchanged']) }).optional(),
  expand,
  payment_behavior: text.optional(),
  proration_behavior: prorationBehavior,
});
