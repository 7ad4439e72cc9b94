import { z } from 'zod';
import { noSuch, refused } from '../core/errors.ts';
import { newestFirst, pageParams, toPage } from '../core/list.ts';
import { expand, mergeMetadata, parseParams, refuseParams, text } from '../core/params.ts';
import type { ApiCall, Route } from '../core/router.ts';
import { isWithin, timeRange } from '../core/time-range.ts';
import type { Account } from './account.ts';
import { isLiveCustomer } from './customers.ts';
import { checkAttached } from './method-ownership.ts';
import { periodEnd } from './periods.ts';
import { cancelNow, draftFor, advance, intervalOf } from './subscription-billing.ts';
import { licensedLines, meteredLines } from './subscription-lines.ts';
import {
  cancelParams,
  createParams,
  pauseParams,
  resumeParams,
  updateParams,
} from './subscription-params.ts';
import { startSubscription } from './subscription-start.ts';
import { updateSubscription } from './subscription-update.ts';
import { renderSubscription } from './subscription-view.ts';
import type { Subscription } from './subscriptions.ts';
import { putSubscription } from './subscriptions.ts';

const listParams = z.strictObject({
  ...pageParams,
  created: timeRange,
  customer: text.optional(),
  expand,
  price: text.optional(),
  status: z
    .enum([
      'active',
      'all',
      'canceled',
      'ended',
      'incomplete',
      'incomplete_expired',
      'past_due',
      'paused',
      'trialing',
      'unpaid',
    ])
    .optional(),
});

/** Subscriptions (https://docs.stripe.com/api/subscriptions): no trials, no prorations. */
export function subscriptionRoutes(account: Account): Route[] {
  const path = '/v1/subscriptions';
  const one = `${path}/:id`;
  const on = (
    method: Route['method'],
    at: string,
    work: (account: Account, call: ApiCall) => Subscription,
  ): Route => ({
    method,
    path: at,
    handle: (call) => renderSubscription(account, work(account, call)),
  });
  return [
    on('POST', path, create),
    { method: 'GET', path, handle: (call) => list(account, call) },
    on('GET', one, (_account, { params, pathIds }) => {
      refuseParams(params);
      return findSubscription(account, pathIds['id']);
    }),
    on('POST', one, (_account, { params, pathIds }) => {
      const given = parseParams(updateParams, params);
      return updateSubscription(account, living(account, pathIds['id']), given);
    }),
    on('DELETE', one, cancel),
    on('POST', `${one}/pause`, pause),
    on('POST', `${one}/resume`, resume),
  ];
}

export function findSubscription(account: Account, id = ''): Subscription {
  const subscription = account.subscriptions.get(id);
  if (subscription === undefined) throw noSuch('subscription', id, 'id', 404);
  return subscription;
}

function create(account: Account, { params }: ApiCall): Subscription {
  const given = parseParams(createParams, params);
  const { customer, default_payment_method: method = null } = given;
  if (!isLiveCustomer(account, customer)) throw noSuch('customer', customer, 'customer', 400);
  if (method !== null) checkAttached(account, method, customer);
  return startSubscription(account, {
    cancelAtPeriodEnd: given.cancel_at_period_end ?? false,
    collectionMethod: given.collection_method ?? 'charge_automatically',
    customer,
    daysUntilDue: given.days_until_due ?? null,
    defaultPaymentMethod: method,
    description: given.description ?? null,
    metadata: mergeMetadata({}, given.metadata),
    paymentBehavior: given.payment_behavior,
    wantedItems: given.items.map(({ metadata: of, ...item }) => ({
      ...item,
      metadata: mergeMetadata({}, of),
    })),
  });
}

function cancel(account: Account, { params, pathIds }: ApiCall): Subscription {
  const given = parseParams(cancelParams, params);
  const subscription = living(account, pathIds['id']);
  const { comment = null, feedback = null } = given.cancellation_details ?? {};
  const told = {
    ...subscription,
    cancellation: { ...subscription.cancellation, comment, feedback },
  };
  return cancelNow(account, told, given.invoice_now ?? false);
}

/** Stops a subscription and its billing; `pause_collection` only stops the collection. */
function pause(account: Account, { params, pathIds }: ApiCall): Subscription {
  const given = parseParams(pauseParams, params);
  const subscription = living(account, pathIds['id']);
  if (subscription.status === 'paused') throw refused('The subscription is paused already.');
  const now = account.clock.nowSeconds();
  const through = given.bill_for?.outstanding_usage_through?.type ?? 'now';
  const metered =
    through === 'none'
      ? []
      : meteredLines(account, subscription, { start: subscription.period.start, end: now });
  const paused: Subscription = { ...subscription, pausedAt: now, status: 'paused' };
  putSubscription(account, paused, 'paused');
  if (metered.some(({ amount }) => amount > 0)) {
    const draft = draftFor(account, paused, 'subscription_update', metered);
    advance(account, draft, { finalize: true, pay: true });
  }
  return account.subscriptions.get(paused.id) ?? paused;
}

/** Resumes a paused subscription; its period begins anew unless the anchor stays. */
function resume(account: Account, { params, pathIds }: ApiCall): Subscription {
  const { billing_cycle_anchor: anchor } = parseParams(resumeParams, params);
  const subscription = living(account, pathIds['id']);
  if (subscription.status !== 'paused') {
    throw refused('Only paused subscriptions can be resumed.');
  }
  const now = account.clock.nowSeconds();
  const every = intervalOf(account, subscription);
  const isAnew = anchor?.type !== 'unchanged';
  const resumed: Subscription = {
    ...subscription,
    billingCycleAnchor: isAnew ? now : subscription.billingCycleAnchor,
    pausedAt: null,
    period: isAnew ? { start: now, end: periodEnd(now, now, every) } : subscription.period,
    status: 'active',
  };
  putSubscription(account, resumed, 'resumed');
  const lines = isAnew ? licensedLines(account, resumed, resumed.period) : [];
  if (lines.length > 0) {
    const draft = draftFor(account, resumed, 'subscription_update', lines);
    advance(account, draft, { finalize: true, pay: true });
  }
  return account.subscriptions.get(resumed.id) ?? resumed;
}

function list(account: Account, { params, path }: ApiCall): object {
  const { created, customer, price, status, ...page } = parseParams(listParams, params);
  const isListed = (row: Subscription): boolean =>
    isWithin(row.created, created) &&
    (customer === undefined || row.customer === customer) &&
    (price === undefined || row.items.some((item) => item.price === price)) &&
    isOfStatus(row, status);
  const found = toPage(newestFirst(account.subscriptions.values(), isListed), page, path);
  return { ...found, data: found.data.map((row) => renderSubscription(account, row)) };
}

/** Without a status Stripe leaves out what was cancelled. */
function isOfStatus({ status }: Subscription, wanted: string | undefined): boolean {
  if (wanted === undefined) return status !== 'canceled';
  if (wanted === 'ended') return status === 'canceled';
  return wanted === 'all' || status === wanted;
}

/** A cancelled subscription is there no more for whoever wants to change it. */
function living(account: Account, id: string | undefined): Subscription {
  const subscription = findSubscription(account, id);
  if (subscription.status !== 'canceled') return subscription;
  throw noSuch('subscription', subscription.id, 'id', 404);
}
