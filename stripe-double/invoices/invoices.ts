import type { Account } from '../account/account.ts';
import { newId } from '../core/ids.ts';
import type { Invoice } from './schema.ts';
import { renderInvoice } from './view.ts';

export type NewInvoice = Pick<Invoice, 'customer' | 'currency'> & Partial<Invoice>;

/** Makes a draft and says so. */
export function addInvoice(account: Account, wanted: NewInvoice): Invoice {
  const id = newId('in', 24);
  const invoice = account.invoices.put(id, draftOf(account, wanted, id));
  account.events.happened('invoice.created', renderInvoice(account, invoice));
  return invoice;
}

/** A draft that nothing keeps yet. */
export function draftOf(account: Account, wanted: NewInvoice, id: string): Invoice {
  const now = account.clock.nowSeconds();
  return {
    amountCredited: 0,
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
  };
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
