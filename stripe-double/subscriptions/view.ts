import type Stripe from 'stripe';
import type { Account } from '../account/account.ts';
import type { Price } from '../prices/schema.ts';
import type { Subscription, SubscriptionItem } from './schema.ts';

/** On the wire the SDK's decimals are text. */
type WirePlan = Omit<Stripe.Plan, 'amount_decimal'> & { amount_decimal: string };
type WireItem = Omit<Stripe.SubscriptionItem, 'plan' | 'price'> & { plan: WirePlan; price: Price };
type WireSubscription = Omit<Stripe.Subscription, 'items'> & {
  items: { object: 'list'; data: WireItem[]; has_more: boolean; url: string };
};

/** What is the same in every subscription of the double. */
const fixed = {
  application: null,
  application_fee_percent: null,
  automatic_tax: { disabled_reason: null, enabled: false, liability: null },
  billing_cycle_anchor_config: null,
  billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
  billing_schedules: [],
  billing_thresholds: null,
  customer_account: null,
  default_source: null,
  default_tax_rates: [],
  discounts: [],
  invoice_settings: {
    account_tax_ids: null,
    custom_fields: null,
    description: null,
    footer: null,
    issuer: { type: 'self' },
  },
  livemode: false,
  managed_payments: null,
  next_pending_invoice_item_invoice: null,
  on_behalf_of: null,
  payment_settings: {
    payment_method_options: null,
    payment_method_types: null,
    save_default_payment_method: 'off',
  },
  pending_invoice_item_interval: null,
  pending_setup_intent: null,
  pending_update: null,
  schedule: null,
  test_clock: null,
  transfer_data: null,
  trial_end: null,
  trial_settings: {
    end_behavior: { billing_cycle_anchor: null, missing_payment_method: 'create_invoice' },
  },
  trial_start: null,
} satisfies Partial<WireSubscription>;

/** An object shows ten of its items; `/v1/subscription_items` has all of them, by pages. */
const mostShown = 10;

export function renderItems(account: Account, subscription: Subscription): WireItem[] {
  return subscription.items.flatMap((item) => renderItem(account, subscription, item));
}

/** A subscription as Stripe shows it: its periods are those of its items. */
export function renderSubscription(account: Account, subscription: Subscription): WireSubscription {
  const { id, pauseCollection, pausedAt } = subscription;
  return {
    id,
    object: 'subscription',
    ...fixed,
    billing_cycle_anchor: subscription.billingCycleAnchor,
    cancel_at: subscription.cancelAt,
    cancel_at_period_end: subscription.cancelAtPeriodEnd,
    canceled_at: subscription.canceledAt,
    cancellation_details: { ...subscription.cancellation, feedback_option: null },
    collection_method: subscription.collectionMethod,
    created: subscription.created,
    currency: subscription.currency,
    customer: subscription.customer,
    days_until_due: subscription.daysUntilDue,
    default_payment_method: subscription.defaultPaymentMethod,
    description: subscription.description,
    ended_at: subscription.endedAt,
    items: {
      object: 'list',
      data: renderItems(account, subscription).slice(0, mostShown),
      has_more: subscription.items.length > mostShown,
      url: `/v1/subscription_items?subscription=${id}`,
    },
    latest_invoice: subscription.latestInvoice,
    metadata: subscription.metadata,
    pause_collection:
      pauseCollection === null
        ? null
        : { behavior: pauseCollection.behavior, resumes_at: pauseCollection.resumesAt },
    start_date: subscription.created,
    status: subscription.status,
    ...(pausedAt === null ? {} : { status_details: pausedSince(pausedAt) }),
  };
}

function pausedSince(pausedAt: number): Stripe.Subscription.StatusDetails {
  return {
    paused: {
      subscription: { type: 'pause_requested' },
      transitioned_at: pausedAt,
      type: 'subscription',
    },
  };
}

function renderItem(account: Account, subscription: Subscription, item: SubscriptionItem) {
  const price = account.prices.get(item.price);
  if (price === undefined) return [];
  const { start, end } = subscription.period;
  const shown: WireItem = {
    id: item.id,
    object: 'subscription_item',
    billing_thresholds: null,
    created: item.created,
    current_period_end: end,
    current_period_start: start,
    current_trial: null,
    discounts: [],
    metadata: item.metadata,
    plan: planOf(price),
    price,
    ...(item.quantity === null ? {} : { quantity: item.quantity }),
    subscription: subscription.id,
    tax_rates: [],
  };
  return [shown];
}

/** A price in the words of its forerunner, which Stripe still shows. */
function planOf(price: Price): WirePlan {
  const { recurring, transform_quantity: transform } = price;
  return {
    id: price.id,
    object: 'plan',
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: 'per_unit',
    created: price.created,
    currency: price.currency,
    interval: recurring?.interval ?? 'month',
    interval_count: recurring?.interval_count ?? 1,
    livemode: false,
    metadata: price.metadata,
    meter: recurring?.meter ?? null,
    nickname: price.nickname,
    product: price.product,
    tiers_mode: null,
    transform_usage: transform,
    trial_period_days: null,
    usage_type: recurring?.usage_type ?? 'licensed',
  };
}
