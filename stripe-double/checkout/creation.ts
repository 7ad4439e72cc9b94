import type { Account } from '../account/account.ts';
import { invalidParameter, noSuch } from '../core/errors.ts';
import type { FormObject } from '../core/form.ts';
import { newId } from '../core/ids.ts';
import { mergeMetadata, parseParams } from '../core/params.ts';
import type { ApiCall } from '../core/router.ts';
import { checkCustomer } from '../customers/customers.ts';
import { amountOf, toUnits } from '../prices/amounts.ts';
import { createPrice } from '../prices/creation.ts';
import type { Price } from '../prices/schema.ts';
import type { CheckoutGiven } from './params.ts';
import { createParams } from './params.ts';
import { renderSession } from './view.ts';

const dayS = 86_400;

/** Makes a session of what was given, and refuses what Stripe would refuse. */
export function createSession(account: Account, { params }: ApiCall): object {
  const given = parseParams(createParams, params);
  const { customer = null, mode } = given;
  if (customer !== null) checkCustomer(account, customer);
  checkFields(given);
  for (const [index, item] of given.line_items.entries()) checkItem(account, item, index, mode);
  const lineItems = given.line_items.map((item, index) => toLineItem(account, item, index));
  const now = account.clock.nowSeconds();
  const id = newId('cs_test', 58);
  const data = mode === 'payment' ? given.payment_intent_data : given.subscription_data;
  const session = account.checkoutSessions.put(id, {
    id,
    allowPromotionCodes: given.allow_promotion_codes ?? null,
    cancelUrl: given.cancel_url ?? null,
    clientReferenceId: given.client_reference_id ?? null,
    created: now,
    currency: account.prices.get(lineItems[0]?.price ?? '')?.currency ?? 'usd',
    customer,
    customerCreation: creationOf(given),
    customerEmail: given.customer_email ?? null,
    expiresAt: given.expires_at ?? now + dayS,
    invoice: null,
    invoiceCreation: given.invoice_creation?.enabled ?? false,
    lineItems,
    locale: given.locale ?? null,
    metadata: mergeMetadata({}, given.metadata),
    mode,
    paymentIntent: null,
    paymentStatus: 'unpaid',
    made: {
      description: data?.description ?? null,
      metadata: mergeMetadata({}, data?.metadata),
      setupFutureUsage: given.payment_intent_data?.setup_future_usage ?? null,
    },
    pendingMethod: null,
    status: 'open',
    subscription: null,
    successUrl: given.success_url,
  });
  return renderSession(account, session);
}

function creationOf({ customer, customer_creation: wanted, mode }: CheckoutGiven) {
  if (customer !== undefined) return null;
  return mode === 'subscription' ? 'always' : (wanted ?? 'if_required');
}

function checkFields(given: CheckoutGiven): void {
  const { customer, customer_creation: creation, mode } = given;
  const only = (name: string, of: string): Error =>
    invalidParameter(name, `You can only use \`${name}\` in \`${of}\` mode.`);
  if (mode === 'subscription' && given.payment_intent_data !== undefined) {
    throw only('payment_intent_data', 'payment');
  }
  if (mode === 'payment' && given.subscription_data !== undefined) {
    throw only('subscription_data', 'subscription');
  }
  if (mode === 'subscription' && creation !== undefined) throw only('customer_creation', 'payment');
  if (customer !== undefined && given.customer_email !== undefined) {
    const message = 'You may only specify one of these parameters: customer, customer_email.';
    throw invalidParameter('customer_email', message);
  }
}

type GivenItem = CheckoutGiven['line_items'][number];

/** Everything about a line that can be refused, before anything is made. */
function checkItem(account: Account, item: GivenItem, index: number, mode: string): void {
  const param = `line_items[${index}]`;
  if ((item.price === undefined) === (item.price_data === undefined)) {
    const message = `You must specify either \`price\` or \`price_data\` in \`${param}\`.`;
    throw invalidParameter(`${param}[price]`, message, 'parameter_missing');
  }
  const price = account.prices.get(item.price ?? '');
  if (item.price !== undefined && price === undefined) {
    throw noSuch('price', item.price, `${param}[price]`, 400);
  }
  const isRecurring = price === undefined ? item.price_data?.recurring : price.recurring;
  if (mode === 'subscription' && !isRecurring) {
    throw invalidParameter(`${param}[price]`, 'A subscription needs recurring prices.');
  }
  if (mode === 'payment' && isRecurring) {
    const message =
      'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.';
    throw invalidParameter('mode', message);
  }
  const isMetered = price?.recurring?.usage_type === 'metered';
  if (isMetered && item.quantity !== undefined) {
    const message = `Quantity should not be specified where usage_type is \`metered\`. Remove quantity from \`${param}\``;
    throw invalidParameter(`${param}[quantity]`, message);
  }
  if (!isMetered && item.quantity === undefined) {
    const message = `Quantity is required. Add \`quantity\` to \`${param}\``;
    throw invalidParameter(`${param}[quantity]`, message, 'parameter_missing');
  }
}

function toLineItem(account: Account, item: GivenItem, index: number) {
  const price = account.prices.get(item.price ?? '') ?? inlinePrice(account, item);
  const quantity = item.quantity ?? null;
  const amount = quantity === null ? 0 : amountOf(price, toUnits(quantity));
  return { id: `li_${index}${newId('x', 22).slice(2)}`, price: price.id, quantity, amount };
}

/** A price of the session's own, as `price_data` makes it at Stripe: inactive from the start. */
function inlinePrice(account: Account, { price_data: data }: GivenItem): Price {
  const form: FormObject = { active: 'false', currency: data?.currency ?? '' };
  if (data?.product !== undefined) form['product'] = data.product;
  if (data?.product_data !== undefined) form['product_data'] = { name: data.product_data.name };
  if (data?.unit_amount !== undefined) form['unit_amount'] = String(data.unit_amount);
  const { unit_amount_decimal: decimal, recurring } = data ?? {};
  if (decimal !== undefined) form['unit_amount_decimal'] = decimal;
  if (recurring !== undefined) {
    const count = String(recurring.interval_count ?? 1);
    form['recurring'] = { interval: recurring.interval, interval_count: count };
  }
  return createPrice(account, form);
}
