import type Stripe from 'stripe';
import type { Account } from '../account/account.ts';
import type { Invoice, Line } from './schema.ts';

/** On the wire the SDK's decimals are text. */
export type WireLine = Omit<Stripe.InvoiceLineItem, 'pricing' | 'quantity_decimal'> & {
  pricing: {
    price_details?: { price: string; product: string };
    type: 'price_details';
    unit_amount_decimal: string | null;
  } | null;
  quantity_decimal: string;
};

export type WireList<Item> = { object: 'list'; data: Item[]; has_more: boolean; url: string };

/** An object shows ten of its lines; all of them are the answer of `/lines`, by pages. */
const mostShown = 10;

export function allLinesOf(account: Account, invoice: Invoice): WireLine[] {
  return invoice.lines.map((line) => renderLine(account, invoice, line));
}

/** The first lines, as `invoice.lines`. */
export function linesOf(account: Account, invoice: Invoice): WireList<WireLine> {
  return {
    object: 'list',
    data: allLinesOf(account, invoice).slice(0, mostShown),
    has_more: invoice.lines.length > mostShown,
    url: `/v1/invoices/${invoice.id}/lines`,
  };
}

function renderLine(account: Account, invoice: Invoice, line: Line): WireLine {
  const product = account.prices.get(line.price ?? '')?.product;
  const details =
    line.price === null || product === undefined
      ? {}
      : { price_details: { price: line.price, product } };
  const quantity = Number(line.quantity);
  const subscription = invoice.subscription?.id ?? null;
  return {
    id: line.id,
    object: 'line_item',
    amount: line.amount,
    currency: line.currency,
    description: line.description,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: invoice.id,
    livemode: false,
    metadata: line.metadata,
    parent: lineParentOf(line, subscription),
    period: line.period,
    pretax_credit_amounts: [],
    pricing: { ...details, type: 'price_details', unit_amount_decimal: line.unitAmount },
    quantity: Number.isInteger(quantity) ? quantity : null,
    quantity_decimal: line.quantity,
    subscription,
    subtotal: line.amount,
    taxes: [],
  };
}

function lineParentOf(
  { invoiceItem, subscriptionItem }: Line,
  subscription: string | null,
): Stripe.InvoiceLineItem.Parent | null {
  const common = { proration: false, proration_details: null, subscription };
  if (subscriptionItem !== null) {
    return {
      invoice_item_details: null,
      subscription_item_details: {
        ...common,
        invoice_item: null,
        subscription_item: subscriptionItem,
      },
      type: 'subscription_item_details',
    };
  }
  return {
    invoice_item_details: { ...common, invoice_item: invoiceItem ?? '' },
    subscription_item_details: null,
    type: 'invoice_item_details',
  };
}
