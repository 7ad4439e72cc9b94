import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { noSuch, refused } from '../core/errors.ts';
import { pageParams } from '../core/list.ts';
import { expand, mergeMetadata, parseParams, text } from '../core/params.ts';
import { existing, readList, readOne } from '../core/reading.ts';
import type { ApiCall, Route } from '../core/router.ts';
import { isWithin, timeRange } from '../core/time-range.ts';
import { checkCustomer } from '../customers/customers.ts';
import { checkAttached } from '../payment-methods/ownership.ts';
import { advance, cancelNow, draftFor, intervalOf } from './billing.ts';
import { licensedLines, meteredLines } from './lines.ts';
import { cancelParams, createParams, pauseParams, resumeParams, updateParams } from './params.ts';
import { periodEnd } from './periods.ts';
import type { Subscription } from './schema.ts';
import { startSubscription } from './start.ts';
import { putSubscription } from './subscriptions.ts';
import { updateSubscription } from './update.ts';
import { renderSubscription } from './view.ts';

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
    readList(path, account.subscriptions, {
      params: listParams,
      isListed: (row, { created, customer, price, status }) =>
        isWithin(row.created, created) &&
        (customer === undefined || row.customer === customer) &&
        (price === undefined || row.items.some((item) => item.price === price)) &&
        isOfStatus(row, status),
      show: (row) => renderSubscription(account, row),
    }),
    readOne(path, (id) => renderSubscription(account, findSubscription(account, id))),
    on('POST', one, (_account, { params, pathIds }) => {
      const given = parseParams(updateParams, params);
      return updateSubscription(account, living(account, pathIds['id']), given);
    }),
    on('DELETE', one, cancel),
    on('POST', `${one}/pause`, pause),
    on('POST', `${one}/resume`, resume),
  ];
}

export function findSubscription(account: Account, id: string | undefined): Subscription {
  return existing(account.subscriptions, 'subscription', id);
}

function create(account: Account, { params }: ApiCall): Subscription {
  const given = parseParams(createParams, params);
  const { customer, default_payment_method: method = null } = given;
  checkCustomer(account, customer);
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
