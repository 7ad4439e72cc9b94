import { z } from 'zod';

export const checkoutSessionSchema = z.object({
  id: z.string(),
  allowPromotionCodes: z.boolean().nullable(),
  cancelUrl: z.string().nullable(),
  clientReferenceId: z.string().nullable(),
  created: z.int(),
  currency: z.string(),
  customer: z.string().nullable(),
  customerCreation: z.enum(['always', 'if_required']).nullable(),
  customerEmail: z.string().nullable(),
  expiresAt: z.int(),
  invoice: z.string().nullable(),
  invoiceCreation: z.boolean().default(false),
  lineItems: z.array(
    z.object({ id: z.string(), price: z.string(), quantity: z.int().nullable(), amount: z.int() }),
  ),
  locale: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  mode: z.enum(['payment', 'subscription']),
  paymentIntent: z.string().nullable(),
  paymentStatus: z.enum(['no_payment_required', 'paid', 'unpaid']),
  /** `payment_intent_data` or `subscription_data`, for what the session makes. */
  made: z.object({
    description: z.string().nullable(),
    metadata: z.record(z.string(), z.string()),
    setupFutureUsage: z.enum(['off_session', 'on_session']).nullable(),
  }),
  /** The double's own: the card of a payment that is still under way. */
  pendingMethod: z.string().nullable(),
  status: z.enum(['complete', 'expired', 'open']),
  subscription: z.string().nullable(),
  successUrl: z.string(),
});
export type CheckoutSession = z.infer<typeof checkoutSessionSchema>;

export function totalOfSession({ lineItems }: CheckoutSession): number {
  return lineItems.reduce((sum, { amount }) => sum + amount, 0);
}
