import type Stripe from 'stripe';
import type { StripeDoubleOptions } from '../server.ts';
import { createMeter, startDouble } from './support.ts';

/** A double with a customer `cus_1` that has a card, a licensed and a metered price. */
export async function startBilling(options: StripeDoubleOptions = {}) {
  const started = await startDouble(options);
  const { stripe, control } = started;
  await control.setClock('2026-11-03T12:00:00Z');
  await control.createCustomer({ id: 'cus_1', email: 'ada@example.com' });
  const card = await giveCard(stripe, 'cus_1', 'pm_card_visa');
  const meter = await createMeter(stripe, 'file_processed');
  const product = await stripe.products.create({ name: 'Files' });
  const licensed = await stripe.prices.create({
    currency: 'usd',
    product: product.id,
    recurring: { interval: 'month' },
    unit_amount: 2000,
  });
  const metered = await stripe.prices.create({
    currency: 'usd',
    product: product.id,
    recurring: { interval: 'month', meter: meter.id, usage_type: 'metered' },
    unit_amount: 3,
  });
  /** The types of all events so far, oldest first, without what is not asked for. */
  const eventTypes = async (prefixes: readonly string[]): Promise<string[]> =>
    (await control.stripeEvents())
      .map(({ type }) => type)
      .filter((type) => prefixes.some((prefix) => type.startsWith(prefix)));
  return { ...started, card, meter, licensed, metered, product, eventTypes };
}

/** Attaches a test card and makes it the customer's default. */
export async function giveCard(
  stripe: Stripe,
  customer: string,
  token: string,
): Promise<Stripe.PaymentMethod> {
  const method = await stripe.paymentMethods.attach(token, { customer });
  await stripe.customers.update(customer, {
    invoice_settings: { default_payment_method: method.id },
  });
  return method;
}
