import { z } from 'zod';
import { pageParams } from '../core/list.ts';
import { boolean, expand, integer, metadata, text } from '../core/params.ts';
import { timeRange } from '../core/time-range.ts';

/** What create and confirm share. Without `payment_method_types`: Stripe chooses them by now. */
const confirmable = {
  error_on_requires_action: boolean.optional(),
  expand,
  off_session: boolean.optional(),
  payment_method: text.optional(),
  receipt_email: text.optional(),
  return_url: text.optional(),
  setup_future_usage: z.enum(['off_session', 'on_session']).optional(),
};
export const createParams = z.strictObject({
  ...confirmable,
  amount: integer,
  automatic_payment_methods: z
    .strictObject({ allow_redirects: z.enum(['always', 'never']).optional(), enabled: boolean })
    .optional(),
  confirm: boolean.optional(),
  currency: z.string().regex(/^[a-zA-Z]{3}$/),
  customer: text.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
  statement_descriptor_suffix: text.max(22).optional(),
});
export const confirmParams = z.strictObject(confirmable);

export const updateParams = z.strictObject({
  description: text.optional(),
  expand,
  metadata: metadata.optional(),
  receipt_email: text.optional(),
});
export const cancelParams = z.strictObject({
  cancellation_reason: z
    .enum(['abandoned', 'duplicate', 'fraudulent', 'requested_by_customer'])
    .optional(),
  expand,
});
export const listParams = z.strictObject({
  ...pageParams,
  created: timeRange,
  customer: text.optional(),
  expand,
});
