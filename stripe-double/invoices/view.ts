import type Stripe from 'stripe';
import type { Account } from '../account/account.ts';
import type { WireLine, WireList } from './line-view.ts';
import { linesOf } from './line-view.ts';
import type { Invoice } from './schema.ts';

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

function amountsOf(invoice: Invoice) {
  const total = invoice.lines.reduce((sum, { amount }) => sum + amount, 0);
  return {
    amount_due: total - invoice.amountCredited,
    amount_overpaid: 0,
    amount_paid: invoice.amountPaid,
    amount_remaining: total - invoice.amountCredited - invoice.amountPaid,
    amount_shipping: 0,
    pre_payment_credit_notes_amount: invoice.amountCredited,
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
