/** Reads Stripe's objects into what we store. Fields that moved in 2025 are read at their new place, then the old. */
import type Stripe from 'stripe';
import type { SubscriptionState } from '../domain/subscription.ts';
import type { SubscriptionTruth } from '../tables/subscriptions.ts';

type Expandable = string | { id: string } | null | undefined;

export function idOf(value: Expandable): string | undefined {
  return typeof value === 'string' ? value : value?.id;
}

export function iso(seconds: number | null | undefined): string | undefined {
  return typeof seconds === 'number' ? new Date(seconds * 1000).toISOString() : undefined;
}

export function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
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
    endedAt: iso(subscription.ended_at),
    currentPeriodStart: period('current_period_start'),
    currentPeriodEnd: period('current_period_end'),
  };
}

/** The payment intent that pays an invoice, if there is one: the default one of several. */
export function paymentIntentOf(invoice: Stripe.Invoice): string | undefined {
  const all = invoice.payments?.data ?? [];
  const defaultFirst = [...all].sort(
    (one, other) => Number(other.is_default) - Number(one.is_default),
  );
  for (const { payment } of defaultFirst) {
    const id = idOf(payment.payment_intent);
    if (id !== undefined) return id;
  }
  return idOf((invoice as unknown as { payment_intent?: Expandable }).payment_intent);
}

export function subscriptionOf(invoice: Stripe.Invoice): string | undefined {
  const moved = invoice.parent?.subscription_details?.subscription;
  return idOf(moved) ?? idOf((invoice as unknown as { subscription?: Expandable }).subscription);
}

/** A reason that names no card: Stripe's code, or its decline code. */
export function reasonOf(intent: Stripe.PaymentIntent | undefined): string | undefined {
  const error = intent?.last_payment_error;
  return error?.decline_code ?? error?.code ?? undefined;
}
