import type { Account } from '../account/account.ts';
import type { Subscription } from './schema.ts';
import { renderSubscription } from './view.ts';

type EventType = 'created' | 'deleted' | 'paused' | 'resumed';

/** Keeps a changed subscription, and records what changed. */
export function saveSubscription(account: Account, subscription: Subscription): Subscription {
  const before = account.subscriptions.get(subscription.id);
  account.subscriptions.put(subscription.id, subscription);
  if (before !== undefined) {
    const was = renderSubscription(account, before);
    const is = renderSubscription(account, subscription);
    account.events.changed('customer.subscription.updated', was, is);
  }
  return subscription;
}

/** Keeps a subscription to which something happened that has an event of its own. */
export function putSubscription(
  account: Account,
  subscription: Subscription,
  type: EventType,
): Subscription {
  account.subscriptions.put(subscription.id, subscription);
  const shown = renderSubscription(account, subscription);
  account.events.happened(`customer.subscription.${type}`, shown);
  return subscription;
}
