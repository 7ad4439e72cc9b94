import { z } from 'zod';

const errorSchema = z.object({
  code: z.string(),
  declineCode: z.string(),
  message: z.string(),
  charge: z.string().nullable(),
  paymentMethod: z.string(),
});

/** A payment intent as it is kept; all that never varies is added when it is shown. */
export const paymentIntentSchema = z.object({
  id: z.string(),
  amount: z.int(),
  amountReceived: z.int(),
  canceledAt: z.int().nullable(),
  cancellationReason: z.string().nullable(),
  clientSecret: z.string(),
  created: z.int(),
  currency: z.string(),
  customer: z.string().nullable(),
  description: z.string().nullable(),
  lastPaymentError: errorSchema.nullable(),
  latestCharge: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  needsAction: z.boolean(),
  paymentMethod: z.string().nullable(),
  receiptEmail: z.string().nullable(),
  setupFutureUsage: z.enum(['off_session', 'on_session']).nullable(),
  statementDescriptorSuffix: z.string().nullable(),
  status: z.enum([
    'requires_payment_method',
    'requires_confirmation',
    'requires_action',
    'processing',
    'canceled',
    'succeeded',
  ]),
  /** The double's own: the invoice that it pays; Stripe tells it by `invoice_payments`. */
  invoice: z.string().nullable(),
});
export type PaymentIntent = z.infer<typeof paymentIntentSchema>;
