/** Events as Stripe would send them: real snapshots of objects that the double has, under new ids. */
import type Stripe from 'stripe';
import { machineSeconds, signatureHeader } from '../../../stripe-double/webhooks/signature.ts';
import { createStripe } from '../../../platform/stripe.ts';
import type { BenchmarkContext } from '../support/benchmark.ts';
import { concurrently } from '../support/concurrently.ts';
import type { BenchStack } from '../support/stack.ts';
import type { Arrival } from './arrival.ts';
import { webhookSecret } from './options.ts';

const setUpAtOnce = 20;
/** One arrival in so many. */
const duplicateEvery = 10;
const forgedEvery = 20;
/** A duplicate is of an arrival at most so far back: some meet the first one still under way. */
const duplicateWithin = 40;
const staleSeconds = 301;

/** Makes customers with a subscription and its first invoice, and returns their events. */
export async function makeTemplates(
  { signal, progress }: BenchmarkContext,
  stack: BenchStack,
  customers: number,
): Promise<Stripe.Event[]> {
  progress(`making ${customers} customers with a subscription at Stripe …`);
  const stripe = createStripe(stack.config);
  if (stripe === undefined) throw new Error('the benchmark has no Stripe key');
  const price = await meteredPrice(stripe);
  const ids = Array.from({ length: customers }, (_, index) => `cus_bench${index}`);
  await concurrently(ids, setUpAtOnce, signal, async (customer) => {
    await stack.stripe.createCustomer({ id: customer });
    await stripe.subscriptions.create({ customer, items: [{ price }] });
  });
  const templates: Stripe.Event[] = [];
  for await (const event of stripe.events.list({ limit: 100 })) {
    if (event.type === 'invoice.paid') templates.push(event);
    if (event.type === 'customer.subscription.created') templates.push(event);
  }
  if (templates.length !== 2 * customers) {
    throw new Error(`${templates.length} events of ${customers} customers, not two of each`);
  }
  return templates;
}

async function meteredPrice(stripe: Stripe): Promise<string> {
  const product = await stripe.products.create({ name: 'Benchmark' });
  const { data } = await stripe.billing.meters.list({ status: 'active', limit: 1 });
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 1,
    recurring: { interval: 'month', usage_type: 'metered', meter: data[0]?.id ?? '' },
  });
  return price.id;
}

/** Arrivals of a run, signed now: one in ten is a duplicate, one in twenty is forged. */
export function makeArrivals(
  templates: readonly Stripe.Event[],
  run: string,
  count: number,
): Arrival[] {
  const arrivals: Arrival[] = [];
  const genuine: Arrival[] = [];
  for (let index = 0; index < count; index += 1) {
    const eventId = `evt_${run}_${index}`;
    const back = 1 + (index % duplicateWithin);
    const earlier = genuine.at(-Math.min(back, genuine.length));
    if (index % duplicateEvery === duplicateEvery - 1 && earlier !== undefined) {
      arrivals.push({ ...earlier, kind: 'duplicate' });
    } else if (index % forgedEvery === 0) {
      arrivals.push(forge(renderEvent(templates, eventId, index), eventId, index / forgedEvery));
    } else {
      const body = renderEvent(templates, eventId, index);
      const signature = signatureHeader(body, webhookSecret, machineSeconds());
      const arrival: Arrival = { kind: 'new', eventId, body, headers: signed(signature) };
      genuine.push(arrival);
      arrivals.push(arrival);
    }
  }
  return arrivals;
}

/** Only forged ones, of all kinds. */
export function makeForged(templates: readonly Stripe.Event[], count: number): Arrival[] {
  return Array.from({ length: count }, (_, index) => {
    const eventId = `evt_forged_${index}`;
    return forge(renderEvent(templates, eventId, index), eventId, index);
  });
}

/** Stripe indents what it sends. */
function renderEvent(templates: readonly Stripe.Event[], id: string, index: number): string {
  const template = templates[index % templates.length];
  if (template === undefined) throw new Error('no events to send');
  const created = machineSeconds();
  if (template.type !== 'customer.subscription.created') {
    return JSON.stringify({ ...template, id, created }, null, 2);
  }
  const data = { ...template.data, previous_attributes: { cancel_at_period_end: true } };
  const type = 'customer.subscription.updated';
  return JSON.stringify({ ...template, id, created, type, data }, null, 2);
}

function forge(body: string, eventId: string, which: number): Arrival {
  const now = machineSeconds();
  const signatures = [
    signatureHeader(body, `${webhookSecret}x`, now),
    undefined,
    signatureHeader(body, webhookSecret, now - staleSeconds),
    signatureHeader(`${body} `, webhookSecret, now),
  ];
  return { kind: 'forged', eventId, body, headers: signed(signatures[which % signatures.length]) };
}

function signed(signature: string | undefined): Arrival['headers'] {
  return signature === undefined ? {} : { 'stripe-signature': signature };
}
