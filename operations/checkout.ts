/**
 * `POST /v1/billing/checkout`: a page of Stripe's on which a customer subscribes to what is metered. A
 * customer that has two subscriptions to one meter pays everything twice, so at most one checkout of a
 * customer is open at a time, and none once it is subscribed. Dying anywhere leaves one open session, which
 * the next request finds.
 */
import { createHash } from 'node:crypto';
import Stripe from 'stripe';
import { hasEnded } from '../domain/billing-status.ts';
import { catalog } from '../domain/catalog.ts';
import { BillingError } from '../domain/errors.ts';
import { checkoutIdempotencyKey, expireCheckoutIdempotencyKey } from '../domain/ids.ts';
import { createOnce } from '../platform/stripe-once.ts';
import { askStripe, requireStripe, returnUrlOf } from './billing.ts';
import type { BillingDependencies } from './billing.ts';

/** Who loses a round loses it to another request of the same customer that got through. */
const mostRounds = 5;
/** Marks a session as ours, for the sessions of others are not ours to expire. */
const mark = 'durabill_checkout';

export interface CheckoutUrls {
  successUrl?: string | undefined;
  cancelUrl?: string | undefined;
}

interface Order {
  customer: string;
  prices: Stripe.Price[];
  successUrl: string;
  cancelUrl: string;
  /** Of all of it: the same order is answered with the same session. */
  digest: string;
}

/** Throws BillingError `conflict` for a customer that is subscribed. */
export async function openCheckout(
  deps: BillingDependencies,
  customerId: string,
  urls: CheckoutUrls,
): Promise<{ url: string }> {
  const stripe = requireStripe(deps);
  const successUrl = returnUrlOf(deps, 'successUrl', urls.successUrl, 'checkout=paid');
  const cancelUrl = returnUrlOf(deps, 'cancelUrl', urls.cancelUrl, 'checkout=left');
  return await askStripe(customerId, async () => {
    const prices = await findPrices(stripe);
    const facts = JSON.stringify([prices.map(({ id }) => id), successUrl, cancelUrl]);
    const digest = createHash('sha256').update(facts).digest('hex');
    const order: Order = { customer: customerId, prices, successUrl, cancelUrl, digest };
    for (let round = 0; round < mostRounds; round += 1) {
      const url = await tryToOpen(stripe, order);
      if (url !== undefined) return { url };
    }
    throw new BillingError('unavailable', 'too many checkouts are begun at once: try again');
  });
}

/** In the order of the catalog. Ours to mend when one is missing: the customer is told nothing of it. */
async function findPrices(stripe: Stripe): Promise<Stripe.Price[]> {
  const keys = catalog.map(({ price }) => price.lookupKey);
  const { data } = await stripe.prices.list({ lookup_keys: keys, active: true, limit: 100 });
  return keys.map((key) => {
    const price = data.find((one) => one.lookup_key === key);
    if (price !== undefined) return price;
    const cause = new Error(`Stripe has no active price ${key}: run \`durabill setup\``);
    throw new BillingError('unavailable', 'checkout is not set up yet', { cause });
  });
}

/**
 * Undefined when somebody was quicker: all of it again. Sessions are read before subscriptions: one that is
 * paid in between was seen open, so nothing is made beside it.
 */
async function tryToOpen(stripe: Stripe, order: Order): Promise<string | undefined> {
  const { data } = await stripe.checkout.sessions.list({ customer: order.customer, limit: 100 });
  await refuseSubscribed(stripe, order);
  const ours = data.filter(({ status, metadata }) => status === 'open' && metadata?.[mark]);
  const same = ours.find(({ metadata, url }) => metadata?.[mark] === order.digest && url !== null);
  for (const session of ours) {
    if (session !== same && !(await expire(stripe, session.id))) return undefined;
  }
  return same?.url ?? (await create(stripe, order, data[0]?.id));
}

/** By meter and not by price: an older price of the same meter bills the same usage. */
async function refuseSubscribed(stripe: Stripe, { customer, prices }: Order): Promise<void> {
  const meters = new Set(prices.map(({ recurring }) => recurring?.meter));
  for await (const subscription of stripe.subscriptions.list({ customer, limit: 100 })) {
    if (hasEnded(subscription.status)) continue;
    for await (const { price } of itemsOf(stripe, subscription)) {
      if (!price.recurring?.meter || !meters.has(price.recurring.meter)) continue;
      throw new BillingError(
        'conflict',
        `${customer} is subscribed already (${subscription.id}): change it in the portal`,
      );
    }
  }
}

/** The object itself shows its first items only (WH15). */
async function* itemsOf(stripe: Stripe, { id, items }: Stripe.Subscription) {
  if (items.has_more) yield* stripe.subscriptionItems.list({ subscription: id, limit: 100 });
  else yield* items.data;
}

/** False when it cannot be: it was paid, or expired, a moment ago. */
async function expire(stripe: Stripe, id: string): Promise<boolean> {
  try {
    await createOnce(
      expireCheckoutIdempotencyKey(id),
      async (idempotencyKey) => await stripe.checkout.sessions.expire(id, {}, { idempotencyKey }),
    );
    return true;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeInvalidRequestError) return false;
    throw error;
  }
}

async function create(
  stripe: Stripe,
  { customer, prices, successUrl, cancelUrl, digest }: Order,
  newest: string | undefined,
): Promise<string | undefined> {
  const wanted: Stripe.Checkout.SessionCreateParams = {
    mode: 'subscription',
    customer,
    client_reference_id: customer,
    // What is metered has no quantity.
    line_items: prices.map(({ id }) => ({ price: id })),
    metadata: { [mark]: digest },
    success_url: successUrl,
    cancel_url: cancelUrl,
  };
  try {
    const session = await createOnce(
      checkoutIdempotencyKey(customer, newest),
      async (idempotencyKey) => await stripe.checkout.sessions.create(wanted, { idempotencyKey }),
    );
    return session.url ?? undefined;
  } catch (error) {
    // Another order of this customer came first, or is on its way: the list has it then.
    const wasOvertaken =
      error instanceof Stripe.errors.StripeIdempotencyError ||
      (error instanceof Stripe.errors.StripeError && error.statusCode === 409);
    if (wasOvertaken) return undefined;
    throw error;
  }
}
