import type Stripe from 'stripe';
import { derivedId } from '../core/ids.ts';
import type { Account } from './account.ts';
import type { Invoice, Line } from './invoices.ts';

/** On the wire the SDK's decimals are text. */
type WireLine = Omit<Stripe.InvoiceLineItem, 'pricing' | 'quantity_decimal'> & {
  pricing: {
    price_details?: { price: string; product: string };
    type: 'price_details';
    unit_amount_decimal: string | null;
  } | null;
  quantity_decimal: string;
};
type WireList<Item> = { object: 'list'; data: Item[]; has_more: boolean; url: string };
type WireInvoice = Omit<Stripe.Invoice, 'lines'> & { lines: WireList<WireLine> };

const noMethods = {
  default_mandate: null,
  payment_method_options: null,
  payment_method_types: null,
};

/** What is the same in every invoice of the double. */
const fixed = {
  account_country: 'US',
  account_name: 'Offline Stripe double',
  account_tax_ids: null,
  application: null,
  automatic_tax: {
    disabled_reason: null,
    enabled: false,
    liability: null,
    provider: null,
    status: null,
  },
  custom_fields: null,
  customer_account: null,
  customer_address: null,
  customer_phone: null,
  customer_shipping: null,
  customer_tax_exempt: 'none',
  customer_tax_ids: [],
  default_source: null,
  default_tax_rates: [],
  discounts: [],
  from_invoice: null,
  issuer: { type: 'self' },
  last_finalization_error: null,
  latest_revision: null,
  livemode: false,
  on_behalf_of: null,
  payment_settings: noMethods,
} satisfies Partial<WireInvoice>;

/** An invoice as Stripe shows it. `payments` is shown only when it is expanded, as at Stripe. */
export function renderInvoice(account: Account, invoice: Invoice): WireInvoice {
  const customer = account.customers.get(invoice.customer);
  return {
    id: invoice.id,
    object: 'invoice',
    ...fixed,
    ...amountsOf(invoice),
    attempt_count: invoice.attemptCount,
    attempted: invoice.attemptCount > 0 || invoice.paidAt !== null,
    auto_advance: invoice.autoAdvance,
    automatically_finalizes_at:
      invoice.status === 'draft' && invoice.autoAdvance ? invoice.created + 3600 : null,
    billing_reason: invoice.billingReason,
    collection_method: invoice.collectionMethod,
    created: invoice.created,
    currency: invoice.currency,
    customer: invoice.customer,
    customer_email: customer?.email ?? null,
    customer_name: customer?.name ?? null,
    default_payment_method: invoice.defaultPaymentMethod,
    description: invoice.description,
    due_date: dueDateOf(invoice),
    effective_at: invoice.finalizedAt,
    footer: invoice.footer,
    ...hostedOf(account, invoice),
    lines: linesOf(account, invoice),
    metadata: invoice.metadata,
    next_payment_attempt: invoice.nextPaymentAttempt,
    number: invoice.number,
    parent: parentOf(invoice),
    period_end: invoice.period.end,
    period_start: invoice.period.start,
    ...restOf(invoice),
  };
}

/** The lines as a list, as `invoice.lines` and as the answer of `/lines`. */
export function linesOf(account: Account, invoice: Invoice): WireList<WireLine> {
  return {
    object: 'list',
    data: invoice.lines.map((line) => renderLine(account, invoice, line)),
    has_more: false,
    url: `/v1/invoices/${invoice.id}/lines`,
  };
}

/** How an invoice is paid: by the payment intent that finalizing made. */
export function paymentsOf(account: Account, invoice: Invoice): Stripe.InvoicePayment[] {
  const { finalizedAt, id, paidAt, paymentIntent, status, voidedAt } = invoice;
  const intent = account.paymentIntents.get(paymentIntent ?? '');
  if (intent === undefined) return [];
  const isPaid = intent.status === 'succeeded';
  const isCanceled = intent.status === 'canceled' || status === 'void';
  return [
    {
      id: derivedId('inpay', id, intent.id),
      object: 'invoice_payment',
      amount_paid: isPaid ? intent.amount : null,
      amount_requested: intent.amount,
      created: finalizedAt ?? invoice.created,
      currency: invoice.currency,
      invoice: id,
      is_default: true,
      livemode: false,
      payment: { payment_intent: intent.id, type: 'payment_intent' },
      status: isPaid ? 'paid' : isCanceled ? 'canceled' : 'open',
      status_transitions: {
        canceled_at: isCanceled ? voidedAt : null,
        paid_at: isPaid ? paidAt : null,
      },
    },
  ];
}

function amountsOf(invoice: Invoice) {
  const total = invoice.lines.reduce((sum, { amount }) => sum + amount, 0);
  return {
    amount_due: total,
    amount_overpaid: 0,
    amount_paid: invoice.amountPaid,
    amount_remaining: total - invoice.amountPaid,
    amount_shipping: 0,
    subtotal: total,
    subtotal_excluding_tax: total,
    total,
    total_excluding_tax: total,
  };
}

function restOf({ finalizedAt, paidAt, uncollectibleAt, voidedAt, status }: Invoice) {
  return {
    ending_balance: finalizedAt === null ? null : 0,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: 0,
    statement_descriptor: null,
    status,
    status_transitions: {
      finalized_at: finalizedAt,
      marked_uncollectible_at: uncollectibleAt,
      paid_at: paidAt,
      voided_at: voidedAt,
    },
    test_clock: null,
    total_discount_amounts: [],
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
  };
}

function dueDateOf({ collectionMethod, created, daysUntilDue, finalizedAt }: Invoice) {
  if (collectionMethod !== 'send_invoice' || daysUntilDue === null) return null;
  return (finalizedAt ?? created) + daysUntilDue * 86_400;
}

function hostedOf(account: Account, { finalizedAt, id }: Invoice) {
  const url = finalizedAt === null ? null : `${account.origin()}/invoice/${id}`;
  return { hosted_invoice_url: url, invoice_pdf: null };
}

function parentOf({ subscription }: Invoice): Stripe.Invoice.Parent | null {
  if (subscription === null) return null;
  return {
    quote_details: null,
    subscription_details: { metadata: subscription.metadata, subscription: subscription.id },
    type: 'subscription_details',
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
