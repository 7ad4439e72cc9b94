import { z } from 'zod';
import { newId } from '../core/ids.ts';
import type { Account } from './account.ts';
import { renderInvoice } from './invoice-view.ts';

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
  amountPaid: z.int(),
  attemptCount: z.int(),
  autoAdvance: z.boolean(),
  billingReason: z.enum([
    'manual',
    'subscription_create',
    'subscription_cycle',
    'subscription_update',
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

export type NewInvoice = Pick<Invoice, 'customer' | 'currency'> & Partial<Invoice>;

/** Makes a draft and says so. */
export function addInvoice(account: Account, wanted: NewInvoice): Invoice {
  const id = newId('in', 24);
  const now = account.clock.nowSeconds();
  const invoice = account.invoices.put(id, {
    amountPaid: 0,
    attemptCount: 0,
    autoAdvance: false,
    billingReason: 'manual',
    collectionMethod: 'charge_automatically',
    created: now,
    daysUntilDue: null,
    defaultPaymentMethod: null,
    description: null,
    footer: null,
    lines: [],
    metadata: {},
    nextPaymentAttempt: null,
    number: null,
    paidAt: null,
    paymentIntent: null,
    period: { start: now, end: now },
    finalizedAt: null,
    status: 'draft',
    subscription: null,
    uncollectibleAt: null,
    voidedAt: null,
    ...wanted,
    id,
  });
  account.events.happened('invoice.created', renderInvoice(account, invoice));
  return invoice;
}

/** Keeps a changed invoice, and records `invoice.updated` with what was before. */
export function saveInvoice(account: Account, invoice: Invoice): Invoice {
  const before = account.invoices.get(invoice.id);
  account.invoices.put(invoice.id, invoice);
  if (before !== undefined) {
    const [was, is] = [renderInvoice(account, before), renderInvoice(account, invoice)];
    account.events.changed('invoice.updated', was, is);
  }
  return invoice;
}

/** What the lines come to; no taxes, no discounts. */
export function totalOf({ lines }: Pick<Invoice, 'lines'>): number {
  return lines.reduce((sum, { amount }) => sum + amount, 0);
}
