import { z } from 'zod';
import { pageParams } from '../core/list.ts';
import { boolean, expand, integer, metadata, text } from '../core/params.ts';
import { timeRange } from '../core/time-range.ts';

const priceData = z.strictObject({
  currency: text,
  product: text.optional(),
  product_data: z
    .strictObject({ description: text.optional(), metadata: metadata.optional(), name: text })
    .optional(),
  recurring: z
    .strictObject({
      interval: z.enum(['day', 'week', 'month', 'year']),
      interval_count: integer.optional(),
    })
    .optional(),
  unit_amount: integer.optional(),
  unit_amount_decimal: text.optional(),
});

/** Of Stripe's many, the parameters that the double knows; without `payment_method_types`. */
export const createParams = z.strictObject({
  allow_promotion_codes: boolean.optional(),
  cancel_url: text.optional(),
  client_reference_id: text.max(200).optional(),
  currency: text.optional(),
  customer: text.optional(),
  customer_creation: z.enum(['always', 'if_required']).optional(),
  customer_email: text.optional(),
  expand,
  expires_at: integer.optional(),
  line_items: z
    .array(
      z.strictObject({
        price: text.optional(),
        price_data: priceData.optional(),
        quantity: integer.optional(),
      }),
    )
    .min(1)
    .max(100),
  invoice_creation: z.strictObject({ enabled: boolean }).optional(),
  locale: text.optional(),
  metadata: metadata.optional(),
  mode: z.enum(['payment', 'subscription']),
  payment_intent_data: z
    .strictObject({
      description: text.optional(),
      metadata: metadata.optional(),
      receipt_email: text.optional(),
      setup_future_usage: z.enum(['off_session', 'on_session']).optional(),
    })
    .optional(),
  payment_method_collection: z.enum(['always', 'if_required']).optional(),
  subscription_data: z
    .strictObject({ description: text.optional(), metadata: metadata.optional() })
    .optional(),
  success_url: text,
  ui_mode: z.literal('hosted_page').optional(),
});
export type CheckoutGiven = z.infer<typeof createParams>;

export const listParams = z.strictObject({
  ...pageParams,
  created: timeRange,
  customer: text.optional(),
  expand,
  payment_intent: text.optional(),
  status: z.enum(['complete', 'expired', 'open']).optional(),
  subscription: text.optional(),
});
