import { z } from 'zod';

export const customerSchema = z.object({
  id: z.string(),
  object: z.literal('customer'),
  address: z.unknown(),
  balance: z.number(),
  created: z.number(),
  currency: z.string().nullable(),
  default_source: z.null(),
  deleted: z.literal(true).optional(),
  delinquent: z.boolean(),
  description: z.string().nullable(),
  discount: z.null(),
  email: z.string().nullable(),
  invoice_prefix: z.string(),
  invoice_settings: z.object({
    custom_fields: z.null(),
    default_payment_method: z.string().nullable(),
    footer: z.string().nullable(),
    rendering_options: z.null(),
  }),
  livemode: z.literal(false),
  metadata: z.record(z.string(), z.string()),
  name: z.string().nullable(),
  next_invoice_sequence: z.number(),
  phone: z.string().nullable(),
  preferred_locales: z.array(z.string()),
  shipping: z.unknown(),
  tax_exempt: z.string(),
  test_clock: z.null(),
});
export type Customer = z.infer<typeof customerSchema>;
