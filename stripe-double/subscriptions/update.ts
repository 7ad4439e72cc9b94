import type { Account } from '../account/account.ts';
import { invalidParameter, noSuch } from '../core/errors.ts';
import { mergeMetadata } from '../core/params.ts';
import { checkAttached } from '../payment-methods/ownership.ts';
import type { SubscriptionUpdate } from './params.ts';
import type { Subscription, SubscriptionItem } from './schema.ts';
import { toItem } from './start.ts';
import { saveSubscription } from './subscriptions.ts';

/** Changes a subscription; prices change at once, and nothing is prorated. */
export function updateSubscription(
  account: Account,
  subscription: Subscription,
  given: SubscriptionUpdate,
): Subscription {
  const { default_payment_method: method, pause_collection: pause } = given;
  if (method !== undefined) checkAttached(account, method, subscription.customer);
  const items = changeItems(account, subscription, given.items ?? []);
  const { description } = given;
  return saveSubscription(account, {
    ...subscription,
    ...cancellationOf(account, subscription, given),
    collectionMethod: given.collection_method ?? subscription.collectionMethod,
    daysUntilDue: given.days_until_due ?? subscription.daysUntilDue,
    defaultPaymentMethod: method ?? subscription.defaultPaymentMethod,
    description: description === undefined ? subscription.description : description,
    items,
    metadata: mergeMetadata(subscription.metadata, given.metadata),
    pauseCollection:
      pause === undefined
        ? subscription.pauseCollection
        : pause && { behavior: pause.behavior, resumesAt: pause.resumes_at ?? null },
  });
}

/** Scheduling and withdrawing a cancellation; `cancel_at` follows the period's end. */
function cancellationOf(
  account: Account,
  subscription: Subscription,
  given: SubscriptionUpdate,
): Pick<Subscription, 'cancelAt' | 'cancelAtPeriodEnd' | 'canceledAt' | 'cancellation'> {
  const { cancel_at: at, cancel_at_period_end: atEnd, cancellation_details: details } = given;
  const { comment = null, feedback = null } = details ?? subscription.cancellation;
  if (at === undefined && atEnd === undefined) {
    const { cancelAt, cancelAtPeriodEnd, canceledAt, cancellation } = subscription;
    const told = { ...cancellation, comment, feedback };
    return { cancelAt, cancelAtPeriodEnd, canceledAt, cancellation: told };
  }
  if (atEnd === true && at !== undefined && at !== null) {
    throw invalidParameter('cancel_at', 'You may only set one of cancel_at, cancel_at_period_end.');
  }
  const when = atEnd === true ? subscription.period.end : (at ?? null);
  const reason = when === null ? null : 'cancellation_requested';
  return {
    cancelAt: when,
    cancelAtPeriodEnd: atEnd ?? false,
    canceledAt: when === null ? null : account.clock.nowSeconds(),
    cancellation: { comment, feedback, reason },
  };
}

function changeItems(
  account: Account,
  subscription: Subscription,
  changes: NonNullable<SubscriptionUpdate['items']>,
): SubscriptionItem[] {
  let items = [...subscription.items];
  for (const [index, change] of changes.entries()) {
    const param = `items[${index}]`;
    const known = items.find(({ id }) => id === change.id);
    if (change.id !== undefined && known === undefined) {
      throw noSuch('subscription_item', change.id, `${param}[id]`, 400);
    }
    const changed = change.deleted === true ? undefined : itemOf(account, known, change, param);
    if (known === undefined) items = changed === undefined ? items : [...items, changed];
    else items = items.flatMap((item) => (item.id === known.id ? (changed ?? []) : item));
  }
  if (items.length > 0) return items;
  throw invalidParameter('items', 'A subscription must have at least one active plan.');
}

function itemOf(
  account: Account,
  known: SubscriptionItem | undefined,
  change: NonNullable<SubscriptionUpdate['items']>[number],
  param: string,
): SubscriptionItem {
  const price = change.price ?? known?.price;
  if (price === undefined) {
    throw invalidParameter(`${param}[price]`, `Missing required param: ${param}[price].`);
  }
  const quantity = change.quantity ?? (change.price === undefined ? known?.quantity : undefined);
  const metadata = mergeMetadata(known?.metadata ?? {}, change.metadata);
  const item = toItem(account, { price, quantity: quantity ?? undefined, metadata }, param);
  return known === undefined ? item : { ...item, id: known.id, created: known.created };
}
