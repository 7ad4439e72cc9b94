import type Stripe from 'stripe';
import type { Account } from '../account/account.ts';
import { formatDecimal } from '../core/decimal.ts';
import { toUnits } from '../prices/amounts.ts';
import type { InvoiceItem } from './schema.ts';

/** An invoice item as Stripe shows it. */
export function renderInvoiceItem(account: Account, item: InvoiceItem) {
  const product = account.prices.get(item.price ?? '')?.product;
  const details =
    item.price === null || product === undefined
      ? {}
      : { price_details: { price: item.price, product } };
  const { subscription } = item;
  const shown: Omit<Stripe.InvoiceItem, 'pricing' | 'quantity_decimal'> = {
    id: item.id,
    object: 'invoiceitem',
    amount: item.amount,
    currency: item.currency,
    customer: item.customer,
    customer_account: null,
    date: item.date,
    description: item.description,
    discountable: true,
    discounts: [],
    invoice: item.invoice,
    livemode: false,
    metadata: item.metadata,
    parent:
      subscription === null
        ? null
        : { subscription_details: { subscription }, type: 'subscription_details' },
    period: item.period,
    proration: false,
    quantity: item.quantity,
    tax_rates: [],
    test_clock: null,
  };
  return {
    ...shown,
    pricing: { ...details, type: 'price_details', unit_amount_decimal: item.unitAmount },
    quantity_decimal: formatDecimal(toUnits(item.quantity)),
  };
}
