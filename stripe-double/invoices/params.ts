import { z } from 'zod';
import { pageParams } from '../core/list.ts';
import { boolean, clearableText, expand, integer, metadata, text } from '../core/params.ts';
import { timeRange } from '../core/time-range.ts';

const statuses = ['draft', 'open', 'paid', 'uncollectible', 'void'] as const;

const changeable = {
  auto_advance: boolean.optional(),
  collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
  days_until_due: integer.optional(),
  default_payment_method: text.optional(),
  description: clearableText.optional(),
  expand,
  footer: clearableText.optional(),
  metadata: metadata.optional(),
};
export const createParams = z.strictObject({
  ...changeable,
  currency: z
    .string()
    .regex(/^[a-zA-Z]{3}$/)
    .optional(),
  customer: text,
  pending_invoice_items_behavior: z.enum(['exclude', 'include']).optional(),
});
export const updateParams = z.strictObject(changeable);

export const finalizeParams = z.strictObject({ auto_advance: boolean.optional(), expand });
export const payParams = z.strictObject({
  expand,
  off_session: boolean.optional(),
  paid_out_of_band: boolean.optional(),
  payment_method: text.optional(),
});
export const listParams = z.strictObject({
  ...pageParams,
  collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
  created: timeRange,
  customer: text.optional(),
  expand,
  status: z.enum(statuses).optional(),
  subscription: text.optional(),
});
