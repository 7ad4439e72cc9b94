import type { Account } from '../account/account.ts';
import { newId } from '../core/ids.ts';
import type { Invoice, Line } from '../invoices/schema.ts';
import type { InvoiceItem } from './schema.ts';

/** Takes the customer's pending items onto an invoice. */
export function takePendingItems(account: Account, invoice: Invoice): Line[] {
  const items = pendingItems(account, invoice);
  for (const item of items) account.invoiceItems.put(item.id, { ...item, invoice: invoice.id });
  return items.map(toLine);
}

/** What would be taken. */
export function pendingItems(
  account: Account,
  invoice: Pick<Invoice, 'customer' | 'currency' | 'subscription'>,
): InvoiceItem[] {
  return [...account.invoiceItems.values()].filter(
    (item) =>
      item.invoice === null &&
      item.customer === invoice.customer &&
      item.currency === invoice.currency &&
      (item.subscription === null || item.subscription === invoice.subscription?.id),
  );
}

/** The line that an item becomes on an invoice. */
export function toLine(item: InvoiceItem): Line {
  return {
    id: newId('il', 24),
    amount: item.amount,
    currency: item.currency,
    description: item.description,
    metadata: item.metadata,
    period: item.period,
    price: item.price,
    quantity: String(item.quantity),
    unitAmount: item.unitAmount,
    invoiceItem: item.id,
    subscriptionItem: null,
  };
}
