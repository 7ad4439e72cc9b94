import type { Account } from '../account/account.ts';
import { invalidParameter, noSuch, refused } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { collect, defaultMethodOf, finalize } from '../invoices/payment.ts';
import { totalOf } from '../invoices/schema.ts';
import { renderPaymentIntent } from '../payment-intents/view.ts';
import { cardError } from '../payment-methods/cards.ts';
import { draftFor, intervalOf } from './billing.ts';
import { licensedLines, meteredLines } from './lines.ts';
import { periodEnd } from './periods.ts';
import type { Subscription, SubscriptionItem } from './schema.ts';
import { putSubscription, saveSubscription } from './subscriptions.ts';

export type WantedItem = {
  price: string;
  quantity?: number | undefined;
  metadata?: Record<string, string> | undefined;
};

type Wanted = Pick<Subscription, 'customer' | 'metadata'> &
  Partial<Subscription> & {
    wantedItems: readonly WantedItem[];
    paymentBehavior?: 'allow_incomplete' | 'default_incomplete' | 'error_if_incomplete' | undefined;
  };

/** A subscription's item; a metered price has no quantity, as Stripe insists. */
export function toItem(account: Account, wanted: WantedItem, param: string): SubscriptionItem {
  const price = account.prices.get(wanted.price);
  if (price === undefined) throw noSuch('price', wanted.price, `${param}[price]`, 400);
  if (price.recurring === null) {
    const message = `The price specified is set to \`type=one_time\` but this field only accepts prices with \`type=recurring\`.`;
    throw invalidParameter(`${param}[price]`, message);
  }
  const isMetered = price.recurring.usage_type === 'metered';
  if (isMetered && wanted.quantity !== undefined) {
    const message = `Quantity should not be specified where usage_type is \`metered\`. Remove quantity from \`${param}\``;
    throw invalidParameter(`${param}[quantity]`, message);
  }
  return {
    id: newId('si', 14),
    created: account.clock.nowSeconds(),
    metadata: wanted.metadata ?? {},
    price: price.id,
    quantity: isMetered ? null : (wanted.quantity ?? 1),
  };
}

/**
 * Starts a subscription, with its first invoice: licensed items in advance, metered ones over
 * nothing. It is active when there is nothing to pay or it was paid, else incomplete.
 */
export function startSubscription(account: Account, wanted: Wanted): Subscription {
  const { wantedItems, paymentBehavior = 'allow_incomplete', ...fields } = wanted;
  const items = wantedItems.map((item, index) => toItem(account, item, `items[${index}]`));
  const subscription = { ...blank(account, wanted, items), ...fields, items };
  const lines = firstLines(account, subscription);
  const isCharged = subscription.collectionMethod === 'charge_automatically';
  const isDue = isCharged && totalOf({ lines }) > 0;
  if (isDue && paymentBehavior !== 'default_incomplete') checkMethod(account, subscription);
  const status = isDue ? 'incomplete' : 'active';
  putSubscription(account, { ...subscription, status }, 'created');
  const draft = draftFor(account, subscription, 'subscription_create', lines);
  linkInvoice(account, subscription.id, draft.id);
  const open = isCharged ? finalize(account, draft) : draft;
  if (open.status === 'open' && paymentBehavior !== 'default_incomplete') {
    const { decline, intent } = collect(account, open);
    if (decline !== null && paymentBehavior === 'error_if_incomplete') {
      const shown = intent === null ? {} : { payment_intent: renderPaymentIntent(account, intent) };
      throw cardError(decline, shown);
    }
  }
  return account.subscriptions.get(subscription.id) ?? subscription;
}

function firstLines(account: Account, subscription: Subscription) {
  const { start } = subscription.period;
  return [
    ...licensedLines(account, subscription, subscription.period),
    ...meteredLines(account, subscription, { start, end: start }),
  ];
}

function linkInvoice(account: Account, id: string, invoice: string): void {
  const subscription = account.subscriptions.get(id);
  if (subscription === undefined) return;
  saveSubscription(account, { ...subscription, latestInvoice: invoice });
}

function checkMethod(account: Account, subscription: Subscription): void {
  const { customer, defaultPaymentMethod, id } = subscription;
  const asInvoice = { customer, defaultPaymentMethod, subscription: { id, metadata: {} } };
  if (defaultMethodOf(account, asInvoice) !== null) return;
  const message =
    'This customer has no attached payment source or default payment method. Please consider adding a default payment method.';
  throw refused(message, { code: 'resource_missing' });
}

function blank(account: Account, { customer }: Wanted, items: SubscriptionItem[]): Subscription {
  const now = account.clock.nowSeconds();
  return {
    id: newId('sub', 24),
    billingCycleAnchor: now,
    cancelAt: null,
    cancelAtPeriodEnd: false,
    canceledAt: null,
    cancellation: { comment: null, feedback: null, reason: null },
    collectionMethod: 'charge_automatically',
    created: now,
    currency: account.prices.get(items[0]?.price ?? '')?.currency ?? 'usd',
    customer,
    daysUntilDue: null,
    defaultPaymentMethod: null,
    description: null,
    endedAt: null,
    items,
    latestInvoice: null,
    metadata: {},
    pauseCollection: null,
    pausedAt: null,
    period: { start: now, end: periodEnd(now, now, intervalOf(account, { items })) },
    status: 'active',
  };
}
