import { z } from 'zod';

/** A line of an invoice, as it is kept. */
const lineSchema = z.object({
  id: z.string(),
  amount: z.int(),
  currency: z.string(),
  description: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  period: z.object({ start: z.int(), end: z.int() }),
  price: z.string().nullable(),
  quantity: z.string(),
  unitAmount: z.string().nullable(),
  invoiceItem: z.string().nullable(),
  subscriptionItem: z.string().nullable(),
});
export type Line = z.infer<typeof lineSchema>;

export const invoiceSchema = z.object({
  id: z.string(),
  /** By credit notes, before it was paid. */
  amountCredited: z.int().default(0),
  amountPaid: z.int(),
  attemptCount: z.int(),
  autoAdvance: z.boolean(),
  billingReason: z.enum([
    'manual',
    'subscription_create',
    'subscription_cycle',
    'subscription_update',
    'upcoming',
  ]),
  collectionMethod: z.enum(['charge_automatically', 'send_invoice']),
  created: z.int(),
  currency: z.string(),
  customer: z.string(),
  daysUntilDue: z.int().nullable(),
  defaultPaymentMethod: z.string().nullable(),
  description: z.string().nullable(),
  footer: z.string().nullable(),
  lines: z.array(lineSchema),
  metadata: z.record(z.string(), z.string()),
  nextPaymentAttempt: z.int().nullable(),
  number: z.string().nullable(),
  paidAt: z.int().nullable(),
  paymentIntent: z.string().nullable(),
  period: z.object({ start: z.int(), end: z.int() }),
  finalizedAt: z.int().nullable(),
  status: z.enum(['draft', 'open', 'paid', 'uncollectible', 'void']),
  subscription: z.object({ id: z.string(), metadata: z.record(z.string(), z.string()) }).nullable(),
  uncollectibleAt: z.int().nullable(),
  voidedAt: z.int().nullable(),
});
export type Invoice = z.infer<typeof invoiceSchema>;

/** What the lines come to; no taxes, no discounts. */
export function totalOf({ lines }: Pick<Invoice, 'lines'>): number {
  return lines.reduce((sum, { amount }) => sum + amount, 0);
}
