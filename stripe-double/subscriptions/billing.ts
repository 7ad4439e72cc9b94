import type { Account } from '../account/account.ts';
import { takePendingItems } from '../invoice-items/lines.ts';
import { addInvoice, saveInvoice } from '../invoices/invoices.ts';
import { collect, finalize, markUncollectible, voidInvoice } from '../invoices/payment.ts';
import type { Invoice, Line } from '../invoices/schema.ts';
import { totalOf } from '../invoices/schema.ts';
import { renderInvoice } from '../invoices/view.ts';
import { licensedLines, meteredLines } from './lines.ts';
import { periodEnd } from './periods.ts';
import type { Subscription } from './schema.ts';
import { putSubscription, saveSubscription } from './subscriptions.ts';

export type CycleOptions = {
  /** Without it the invoice stays a draft, as for the first hour at Stripe. */
  finalize: boolean;
  /** Without it the open invoice is not tried. */
  pay: boolean;
  /** A test card instead of the default payment method. */
  card?: string | undefined;
};

/** Makes the draft of a subscription, with the customer's pending items. */
export function draftFor(
  account: Account,
  subscription: Subscription,
  reason: Invoice['billingReason'],
  lines: Line[],
): Invoice {
  const { id, collectionMethod, currency, customer, daysUntilDue, metadata } = subscription;
  const draft = addInvoice(account, {
    autoAdvance: true,
    billingReason: reason,
    collectionMethod,
    currency,
    customer,
    daysUntilDue,
    lines,
    period: subscription.period,
    subscription: { id, metadata },
  });
  const pending = takePendingItems(account, draft);
  if (pending.length === 0) return draft;
  return saveInvoice(account, { ...draft, lines: [...lines, ...pending] });
}

/** Finalizes and collects as the subscription's settings and the options say. */
export function advance(account: Account, draft: Invoice, options: CycleOptions): Invoice {
  const pause = account.subscriptions.get(draft.subscription?.id ?? '')?.pauseCollection;
  if (pause?.behavior === 'keep_as_draft') {
    return saveInvoice(account, { ...draft, autoAdvance: false });
  }
  if (!options.finalize) return draft;
  const open = finalize(account, draft);
  if (open.status !== 'open') return open;
  if (pause?.behavior === 'void') return voidInvoice(account, open);
  if (pause?.behavior === 'mark_uncollectible') return markUncollectible(account, open);
  if (open.collectionMethod === 'send_invoice') {
    account.events.happened('invoice.sent', renderInvoice(account, open));
    return open;
  }
  return options.pay ? collect(account, open, options.card).invoice : open;
}

/**
 * Ends a subscription's period: at its end if that has passed, else now, which moves the billing
 * anchor. What was metered in it is invoiced, with the next period's licensed items; a subscription
 * that is to end then is deleted.
 */
export function endPeriod(
  account: Account,
  subscription: Subscription,
  options: CycleOptions,
): Subscription {
  const now = account.clock.nowSeconds();
  const isEarly = now < subscription.period.end;
  const end = isEarly ? Math.max(now, subscription.period.start) : subscription.period.end;
  const closed = { start: subscription.period.start, end };
  const metered = meteredLines(account, subscription, closed);
  if (subscription.cancelAtPeriodEnd) {
    const cancelled = deleteSubscription(account, { ...subscription, period: closed }, end);
    return billLast(account, cancelled, metered, options);
  }
  const anchor = isEarly ? end : subscription.billingCycleAnchor;
  const every = intervalOf(account, subscription);
  const next = { start: end, end: periodEnd(end, anchor, every) };
  const moved = saveSubscription(account, {
    ...subscription,
    billingCycleAnchor: anchor,
    period: next,
  });
  const lines = [...licensedLines(account, moved, next), ...metered];
  const draft = draftFor(account, { ...moved, period: closed }, 'subscription_cycle', lines);
  const linked = saveSubscription(account, { ...moved, latestInvoice: draft.id });
  advance(account, draft, options);
  return account.subscriptions.get(linked.id) ?? linked;
}

/** Ends a subscription at once; without `invoiceNow` the usage of its period is lost, as at Stripe. */
export function cancelNow(
  account: Account,
  subscription: Subscription,
  invoiceNow: boolean,
): Subscription {
  const now = account.clock.nowSeconds();
  const closed = { start: subscription.period.start, end: now };
  const metered = invoiceNow ? meteredLines(account, subscription, closed) : [];
  const cancelled = deleteSubscription(account, subscription, now);
  if (!invoiceNow) return cancelled;
  return billLast(account, { ...cancelled }, metered, { finalize: true, pay: true });
}

/** The interval of the first item; the double mixes none. */
export function intervalOf(account: Account, { items }: Pick<Subscription, 'items'>) {
  const recurring = account.prices.get(items[0]?.price ?? '')?.recurring;
  return recurring ?? { interval: 'month' as const, interval_count: 1 };
}

function deleteSubscription(
  account: Account,
  subscription: Subscription,
  at: number,
): Subscription {
  const gone: Subscription = {
    ...subscription,
    cancelAt: subscription.cancelAt,
    canceledAt: subscription.canceledAt ?? at,
    cancellation: { ...subscription.cancellation, reason: 'cancellation_requested' },
    endedAt: at,
    pauseCollection: null,
    status: 'canceled',
  };
  return putSubscription(account, gone, 'deleted');
}

function billLast(
  account: Account,
  cancelled: Subscription,
  metered: Line[],
  options: CycleOptions,
): Subscription {
  if (totalOf({ lines: metered }) === 0) return cancelled;
  const draft = draftFor(account, cancelled, 'subscription_cycle', metered);
  const linked = { ...cancelled, latestInvoice: draft.id };
  account.subscriptions.put(linked.id, linked);
  advance(account, draft, options);
  return linked;
}
