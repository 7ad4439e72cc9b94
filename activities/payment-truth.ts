/** Reads Stripe's invoices and payment intents into what `invoices` and `payments` store. */
import type Stripe from 'stripe';
import { billedPeriods } from '../domain/billed-period.ts';
import { outcomeOf } from '../domain/invoice-debts.ts';
import type { InvoiceFacts } from '../domain/invoice-debts.ts';
import type { InvoiceRow, InvoiceTruth } from '../tables/invoices.ts';
import type { PaymentTruth } from '../tables/payments.ts';
import { idOf, iso, isoOf, reasonOf, subscriptionOf } from './stripe-truth.ts';

/** A payment intent, its last charge, and the newest dispute over it. */
export interface IntentFacts {
  intent: Stripe.PaymentIntent;
  charge: Stripe.Charge | null;
  dispute: Stripe.Dispute | undefined;
}

/** `kept` is what our row of the invoice says for good. */
export function invoiceTruth(
  invoice: Stripe.Invoice,
  paid: IntentFacts | undefined,
  kept: Pick<InvoiceTruth, 'paymentId' | 'receiptOf'>,
): InvoiceTruth {
  const period = periodsOf(invoice).whole;
  const facts = factsOf(invoice, paid?.intent);
  return {
    ...facts,
    invoiceId: invoice.id,
    customerId: idOf(invoice.customer) ?? '',
    currency: invoice.currency,
    intentStatus: paid?.intent.status,
    subscriptionId: subscriptionOf(invoice),
    billingReason: invoice.billing_reason ?? undefined,
    stripeCreated: isoOf(invoice.created),
    periodStart: period?.start ?? isoOf(invoice.period_start),
    periodEnd: period?.end ?? isoOf(invoice.period_end),
    receiptOf: kept.receiptOf,
    paymentId:
      kept.paymentId ??
      (outcomeOf(facts) === undefined ? undefined : (paid?.intent.id ?? invoice.id)),
  };
}

function factsOf(
  invoice: Stripe.Invoice,
  intent: Stripe.PaymentIntent | undefined,
): InvoiceFacts & {
  status: string;
} {
  return {
    status: invoice.status ?? 'draft',
    attemptCount: invoice.attempt_count,
    amountDue: invoice.amount_due,
    amountPaid: invoice.amount_paid,
    amountCredited: invoice.pre_payment_credit_notes_amount,
    intentStatus: intent?.status,
  };
}

/** Undefined while an invoice is no payment, not even one that failed. */
export function paymentOfInvoice(from: {
  invoice: Stripe.Invoice;
  row: InvoiceRow;
  paid: IntentFacts | undefined;
}): PaymentTruth | undefined {
  const { invoice, row, paid } = from;
  const outcome = outcomeOf(row);
  const { paymentId } = row;
  if (outcome === undefined || paymentId === undefined) return undefined;
  const { whole, metered, licensed } = periodsOf(invoice);
  const intent = paid?.intent;
  return {
    ...outcome,
    paymentId,
    currency: invoice.currency,
    stripeCreated: isoOf(intent?.created ?? invoice.created),
    customerId: row.customerId,
    userId: userOf(invoice.metadata) ?? userOf(intent?.metadata),
    subscriptionId: row.subscriptionId,
    stripePaymentIntentId: intent?.id,
    stripeInvoiceId: invoice.id,
    billingPeriodStart: whole?.start,
    billingPeriodEnd: whole?.end,
    meteredPeriodStart: metered?.start,
    meteredPeriodEnd: metered?.end,
    licensedPeriodStart: licensed?.start,
    licensedPeriodEnd: licensed?.end,
    failureReason: outcome.status === 'succeeded' ? undefined : reasonOf(intent),
    attemptCount: invoice.attempt_count,
    ...moneyBack(paid),
  };
}

/** Undefined while a payment intent has neither succeeded nor met a failure. */
export function paymentIntentTruth(paid: IntentFacts): PaymentTruth | undefined {
  const { intent } = paid;
  const succeeded = intent.status === 'succeeded';
  // One that was given up before anyone tried it is no failure.
  if (!succeeded && intent.last_payment_error === null) return undefined;
  return {
    paymentId: intent.id,
    status: succeeded ? 'succeeded' : 'failed',
    amount: succeeded ? intent.amount_received : intent.amount,
    currency: intent.currency,
    stripeCreated: isoOf(intent.created),
    customerId: idOf(intent.customer),
    userId: userOf(intent.metadata),
    stripePaymentIntentId: intent.id,
    failureReason: succeeded ? undefined : reasonOf(intent),
    endedBy: succeeded ? 'payment' : intent.status === 'canceled' ? 'canceled' : undefined,
    ...moneyBack(paid),
  };
}

/** WH19: what was given back, and what the customer's bank asks back. */
function moneyBack(paid: IntentFacts | undefined) {
  return {
    refundedAmount: paid?.charge?.amount_refunded,
    disputeStatus: paid?.dispute?.status,
    disputeReason: paid?.dispute?.reason,
  };
}

function periodsOf(invoice: Stripe.Invoice) {
  const lines = invoice.lines.data.map(({ period, parent }) => ({
    start: isoOf(period.start),
    end: isoOf(period.end),
    ofSubscription: parent?.type === 'subscription_item_details',
  }));
  return billedPeriods(lines, iso(invoice.created) ?? '');
}

function userOf(metadata: Stripe.Metadata | null | undefined): string | undefined {
  return metadata?.['userId'] ?? metadata?.['user_id'];
}
