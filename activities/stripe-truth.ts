/** Reads Stripe's objects into what we store. Fields that moved in 2025 are read at their new place, then the old. */
import type Stripe from 'stripe';
import type { SubscriptionState } from '../domain/subscription.ts';
import type { PaymentTruth } from '../tables/payments.ts';
import type { SubscriptionTruth } from '../tables/subscriptions.ts';

type Expandable = string | { id: string } | null | undefined;

export function idOf(value: Expandable): string | undefined {
  return typeof value === 'string' ? value : value?.id;
}

function iso(seconds: number | null | undefined): string | undefined {
  return typeof seconds === 'number' ? new Date(seconds * 1000).toISOString() : undefined;
}

/** The part of a subscription whose changes are told; of an event's snapshot as well. */
export function subscriptionState(subscription: Stripe.Subscription): SubscriptionState {
  const cancelAt = iso(subscription.cancel_at);
  return {
    status: subscription.status,
    prices: subscription.items.data.map(({ price }) => price.id).toSorted(),
    cancelAtPeriodEnd: subscription.cancel_at_period_end,
    paused: subscription.pause_collection !== null,
    ...(cancelAt === undefined ? {} : { cancelAt }),
  };
}

export function subscriptionTruth(subscription: Stripe.Subscription): SubscriptionTruth {
  const [item] = subscription.items.data;
  const old = subscription as unknown as Record<string, unknown>;
  const period = (name: 'current_period_start' | 'current_period_end'): string | undefined => {
    const moved = item?.[name] ?? old[name];
    return typeof moved === 'number' ? iso(moved) : undefined;
  };
  return {
    subscriptionId: subscription.id,
    customerId: idOf(subscription.customer) ?? '',
    cancelAt: undefined,
    ...subscriptionState(subscription),
    stripeCreated: iso(subscription.created) ?? '',
    canceledAt: iso(subscription.canceled_at),
    currentPeriodStart: period('current_period_start'),
    currentPeriodEnd: period('current_period_end'),
  };
}

/** The payment intent that pays an invoice, if there is one. */
export function paymentIntentOf(invoice: Stripe.Invoice): string | undefined {
  for (const { payment } of invoice.payments?.data ?? []) {
    const id = idOf(payment.payment_intent);
    if (id !== undefined) return id;
  }
  return idOf((invoice as unknown as { payment_intent?: Expandable }).payment_intent);
}

function subscriptionOf(invoice: Stripe.Invoice): string | undefined {
  const moved = invoice.parent?.subscription_details?.subscription;
  return idOf(moved) ?? idOf((invoice as unknown as { subscription?: Expandable }).subscription);
}

/** Undefined while an invoice is neither paid nor failed. */
export function invoiceTruth(
  invoice: Stripe.Invoice,
  intent: Stripe.PaymentIntent | undefined,
): PaymentTruth | undefined {
  const paid = invoice.status === 'paid';
  if (!paid && invoice.attempt_count === 0) return undefined;
  const stripePaymentIntentId = intent?.id ?? paymentIntentOf(invoice);
  const invoiceId = invoice.id;
  return {
    paymentId: stripePaymentIntentId ?? invoiceId,
    status: paid ? 'succeeded' : 'failed',
    amount: paid ? invoice.amount_paid : invoice.amount_due,
    currency: invoice.currency,
    stripeCreated: iso(intent?.created ?? invoice.created) ?? '',
    customerId: idOf(invoice.customer),
    userId: userOf(invoice.metadata) ?? userOf(intent?.metadata),
    subscriptionId: subscriptionOf(invoice),
    stripePaymentIntentId,
    stripeInvoiceId: invoiceId,
    billingPeriodStart: iso(invoice.period_start),
    billingPeriodEnd: iso(invoice.period_end),
    failureReason: paid ? undefined : reasonOf(intent),
    attemptCount: invoice.attempt_count,
  };
}

/** Undefined while a payment intent has neither succeeded nor met a failure. */
export function paymentIntentTruth(intent: Stripe.PaymentIntent): PaymentTruth | undefined {
  const succeeded = intent.status === 'succeeded';
  const failed = intent.last_payment_error !== null || intent.status === 'canceled';
  if (!succeeded && !failed) return undefined;
  return {
    paymentId: intent.id,
    status: succeeded ? 'succeeded' : 'failed',
    amount: succeeded ? intent.amount_received : intent.amount,
    currency: intent.currency,
    stripeCreated: iso(intent.created) ?? '',
    customerId: idOf(intent.customer),
    userId: userOf(intent.metadata),
    stripePaymentIntentId: intent.id,
    failureReason: succeeded ? undefined : reasonOf(intent),
  };
}

/** A reason that names no card: Stripe's code, or its decline code. */
export function reasonOf(intent: Stripe.PaymentIntent | undefined): string | undefined {
  const error = intent?.last_payment_error;
  return error?.decline_code ?? error?.code ?? undefined;
}

function userOf(metadata: Stripe.Metadata | null | undefined): string | undefined {
  return metadata?.['userId'] ?? metadata?.['user_id'];
}
