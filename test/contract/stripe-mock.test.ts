/**
 * All other tests believe our Stripe double. Here the double is held against what Stripe publishes:
 * stripe-mock checks requests by Stripe's own OpenAPI description. Every call that our code makes is
 * made once for real against the double, recorded on the way, and must be accepted by stripe-mock;
 * and what stripe-mock refuses, the double must refuse too. stripe-mock keeps no state and answers
 * from fixtures, so only requests are compared, never answers.
 */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MockActivityEnvironment } from '@temporalio/testing';
import {
  createActivities,
  createEventActivities,
  createStripeActivities,
} from '../../activities/index.ts';
import type { ApplyOutcome } from '../../activities/index.ts';
import { runAccountDemo } from '../../dev/demo/account.ts';
import type { AccountState } from '../../dev/demo/account.ts';
import { startStripeMock } from '../../dev/stack/stripe-mock.ts';
import type { RunningServer } from '../../dev/stack/types.ts';
import { startStripeDouble } from '../../stripe-double/server.ts';
import type { StripeDouble } from '../../stripe-double/server.ts';
import { openPortal } from '../../operations/billing.ts';
import { openCheckout } from '../../operations/checkout.ts';
import { importCustomers } from '../../operations/import-customers.ts';
import { createStripe } from '../../platform/stripe.ts';
import { parseConfig } from '../../platform/config.ts';
import { ensureCatalog, inspectCatalog } from '../../platform/stripe-catalog.ts';
import { inspectEndpoints } from '../../platform/stripe-endpoints.ts';
import { durabill } from '../cli/support.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { parametersOf, send, startRecorder, withParameters } from './recorder.ts';
import type { Recorded, Recorder } from './recorder.ts';

const dayMs = 24 * 3_600_000;

/** Every SDK method that the product and its demo call, and the request that it makes. */
const calls: Record<string, RegExp> = {
  'billing.meterEvents.create': /^POST \/v1\/billing\/meter_events$/,
  'billing.meters.create': /^POST \/v1\/billing\/meters$/,
  'billing.meters.list': /^GET \/v1\/billing\/meters\?/,
  'billing.meters.retrieve': /^GET \/v1\/billing\/meters\/[^/?]+$/,
  'billing.meters.listEventSummaries': /^GET \/v1\/billing\/meters\/[^/]+\/event_summaries\?/,
  'billingPortal.sessions.create': /^POST \/v1\/billing_portal\/sessions$/,
  'charges.retrieve': /^GET \/v1\/charges\/[^/?]+$/,
  'checkout.sessions.create': /^POST \/v1\/checkout\/sessions$/,
  'checkout.sessions.expire': /^POST \/v1\/checkout\/sessions\/[^/?]+\/expire$/,
  'checkout.sessions.list': /^GET \/v1\/checkout\/sessions\?/,
  'checkout.sessions.retrieve': /^GET \/v1\/checkout\/sessions\/[^/?]+$/,
  'creditNotes.retrieve': /^GET \/v1\/credit_notes\/[^/?]+$/,
  'customers.list': /^GET \/v1\/customers\?/,
  'customers.retrieve': /^GET \/v1\/customers\/[^/?]+$/,
  'disputes.list': /^GET \/v1\/disputes\?/,
  'disputes.retrieve': /^GET \/v1\/disputes\/[^/?]+$/,
  'events.list': /^GET \/v1\/events\?/,
  'invoicePayments.list': /^GET \/v1\/invoice_payments\?/,
  'invoices.listLineItems': /^GET \/v1\/invoices\/[^/?]+\/lines\?/,
  'invoices.retrieve': /^GET \/v1\/invoices\/[^/?]+\?/,
  'paymentIntents.retrieve': /^GET \/v1\/payment_intents\/[^/?]+\?/,
  'prices.create': /^POST \/v1\/prices$/,
  'prices.list': /^GET \/v1\/prices\?/,
  'products.create': /^POST \/v1\/products$/,
  'products.retrieve': /^GET \/v1\/products\/[^/?]+$/,
  'subscriptionItems.list': /^GET \/v1\/subscription_items\?/,
  'subscriptions.list': /^GET \/v1\/subscriptions\?/,
  'subscriptions.retrieve': /^GET \/v1\/subscriptions\/[^/?]+$/,
  'v2.core.eventDestinations.list': /^GET \/v2\/core\/event_destinations\?/,
  'v2.core.events.list': /^GET \/v2\/core\/events\?/,
  'v2.core.events.retrieve': /^GET \/v2\/core\/events\/[^/?]+$/,
  'webhookEndpoints.list': /^GET \/v1\/webhook_endpoints\?/,
};

let services: Services;
let mock: RunningServer;
let empty: StripeDouble;
let recorders: Recorder[];
/** Distinct by method, path and body. */
let requests: Recorded[];
/** stripe-mock knows the first version of the API only. */
let ofFirstVersion: Recorded[];

beforeAll(async () => {
  services = await startServices();
  [mock, empty] = await Promise.all([
    startStripeMock({ dataDir: services.dataDir }),
    startStripeDouble({ secretKeys: [services.env['STRIPE_SECRET_KEY'] ?? ''] }),
  ]);
  const used = await startRecorder(services.env['STRIPE_API_BASE'] ?? '');
  const unused = await startRecorder(empty.url);
  recorders = [used, unused];
  await setUpCatalog(unused);
  await deliver(used);
  await addCustomer(used);
  await openPages(used);
  await applyEvents(used);
  const all = recorders.flatMap((recorder) => recorder.requests);
  const distinct = new Map(all.map((one) => [`${one.method} ${one.path} ${one.body}`, one]));
  requests = [...distinct.values()];
  ofFirstVersion = requests.filter((one) => one.path.startsWith('/v1/'));
});
afterAll(async () => {
  await Promise.all(recorders.map(async (recorder) => await recorder.stop()));
  await Promise.all([mock.stop(), empty.stop()]);
  await services.stop();
});

async function stripeAt(recorder: Recorder) {
  const config = parseConfig({ ...services.env, STRIPE_API_BASE: recorder.url });
  const stripe = createStripe(config);
  if (stripe === undefined) throw new Error('the test configuration has no Stripe key');
  return stripe;
}

/** `durabill setup` and `durabill doctor`, on a Stripe account that has nothing yet. */
async function setUpCatalog(recorder: Recorder): Promise<void> {
  const stripe = await stripeAt(recorder);
  await inspectCatalog(stripe);
  const created = await ensureCatalog(stripe);
  await inspectEndpoints(stripe, undefined);
  const again = await ensureCatalog(stripe);
  expect(new Set(created.map(({ outcome }) => outcome))).toEqual(new Set(['created']));
  expect(new Set(again.map(({ outcome }) => outcome))).toEqual(new Set(['present']));
}

/** A delivery that fails at first, and is looked up in Stripe's sums a day later. */
async function deliver(recorder: Recorder): Promise<void> {
  const customerId = 'cus_contract';
  await services.control.createCustomer({ id: customerId });
  const identifier = 'contract';
  const at = new Date().toISOString();
  const source = { kind: 'processing' as const, id: identifier };
  const usage = { identifier, customerId, meter: 'file_processed' as const, quantity: '1024' };
  await services.ledger.record({ ...usage, occurredAt: at, source }, at);
  const stripe = await stripeAt(recorder);
  const activitiesAt = (now: () => Date) =>
    createStripeActivities(createTestDependencies(services, { stripe, now }).deps);
  await services.control.fault({ kind: 'fail_after', where: { identifier } });
  await expect(activitiesAt(() => new Date()).sendUsage({ identifier })).rejects.toThrow('500');
  const tomorrow = activitiesAt(() => new Date(Date.now() + dayMs));
  expect(await tomorrow.sendUsage({ identifier })).toMatchObject({ state: 'delivered' });
}

async function addCustomer(recorder: Recorder): Promise<void> {
  const env = { ...services.env, STRIPE_API_BASE: recorder.url };
  const { code, stderr } = await durabill(['customers', 'add', 'cus_contract'], env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const now = () => new Date();
  const deps = { ...services, stripe: await stripeAt(recorder), plan: 'free', now };
  await importCustomers(deps, { isDryRun: true, describe: String });
}

/** A checkout, another one in its place, and the portal. */
async function openPages(recorder: Recorder): Promise<void> {
  const customerId = 'cus_payer';
  await services.control.createCustomer({ id: customerId });
  await ensureCatalog(services.stripe);
  const deps = { ...services, stripe: await stripeAt(recorder), publicUrl: 'http://127.0.0.1/' };
  await openCheckout(deps, customerId, {});
  await openCheckout(deps, customerId, { successUrl: 'http://127.0.0.1/other' });
  await openPortal(deps, customerId, { requestId: 'contract' });
}

/** Events of every kind that is applied, fetched as those that Stripe could not deliver. */
async function applyEvents(recorder: Recorder): Promise<void> {
  const { control, stripe: unrecorded } = services;
  await control.configureWebhooks({ paused: true });
  await control.addWebhook({ url: 'http://127.0.0.1:9/', secret: 'whsec_nobody' });
  const { data: meters } = await unrecorded.billing.meters.list({ status: 'active' });
  const meter = meters.find((one) => one.event_name === 'file_processed')?.id ?? '';
  const { id: product } = await unrecorded.products.create({ name: 'Bytes' });
  const recurring = { interval: 'month' as const, usage_type: 'metered' as const, meter };
  const wanted = { product, currency: 'usd', unit_amount: 1, recurring };
  const { id: price } = await unrecorded.prices.create(wanted);
  const customer = 'cus_contract';
  const session = await unrecorded.checkout.sessions.create({
    mode: 'subscription',
    customer,
    line_items: [{ price }],
    success_url: 'http://127.0.0.1/done',
  });
  const { subscription } = await control.payCheckout(session.id);
  const payload = { stripe_customer_id: customer, value: '900' };
  await unrecorded.billing.meterEvents.create({ event_name: 'file_processed', payload });
  await control.advanceClock(2000);
  await control.endPeriod(subscription ?? '');
  const thin = await control.reportMeterErrors({
    meter,
    errors: [{ identifier: 'contract' }, { identifier: 'of others', unnamed: true }],
  });
  const unkept = await moneyMoves(unrecorded);
  const stripe = await stripeAt(recorder);
  const account = await payInDemo(stripe);
  const { deps, told } = createTestDependencies(services, { stripe });
  const activities = { ...createActivities(deps), ...createEventActivities(deps) };
  await new MockActivityEnvironment().run(activities.catchUpEvents, {});
  const at = new Date().toISOString();
  const facts = { eventId: thin.id, type: thin.type, createdAt: at, livemode: false, thin: true };
  await services.webhookEvents.put(facts, 'received', undefined);
  // Too large to be kept: what they are about is asked for.
  for (const { eventId, ...more } of unkept) {
    const larger = { eventId, ...more, createdAt: at, livemode: false, thin: false };
    await services.webhookEvents.put(larger, 'received', undefined);
  }
  const order = {
    eventIds: [...told.events, ...unkept.map(({ eventId }) => eventId), thin.id],
  };
  while (order.eventIds.length > 0) {
    const { applied, failure } = (await new MockActivityEnvironment().run(
      activities.applyEvents,
      order,
    )) as ApplyOutcome;
    expect(failure).toBeUndefined();
    order.eventIds.splice(0, applied);
  }
  expect(await account.settled).toMatchObject({ billingStatus: 'active', equal: true });
}

/** A dispute, a refund, a credit note, and a subscription of more items than an object shows. */
async function moneyMoves(
  stripe: Stripe,
): Promise<{ eventId: string; type: string; objectId: string }[]> {
  const { control } = services;
  const customer = 'cus_contract_money';
  await control.createCustomer({ id: customer });
  const card = await stripe.paymentMethods.attach('pm_card_visa', { customer });
  await stripe.customers.update(customer, {
    invoice_settings: { default_payment_method: card.id },
  });
  const wanted = { customer, amount: 5000, currency: 'usd', confirm: true };
  const intent = await stripe.paymentIntents.create({ ...wanted, payment_method: card.id });
  await stripe.refunds.create({ payment_intent: intent.id, amount: 100 });
  const dispute = await control.openDispute({ paymentIntent: intent.id });
  const { data: charges } = await stripe.charges.list({ payment_intent: intent.id });
  const { id: invoice } = await stripe.invoices.create({ customer, currency: 'usd' });
  await stripe.invoiceItems.create({ customer, invoice, amount: 900, currency: 'usd' });
  await stripe.invoices.finalizeInvoice(invoice);
  const note = await stripe.creditNotes.create({ invoice, amount: 900 });
  const { id: product } = await stripe.products.create({ name: 'Parts' });
  const items: { price: string }[] = [];
  for (let unit = 100; unit < 112; unit += 1) {
    const recurring = { interval: 'month' as const };
    const price = { product, currency: 'usd', unit_amount: unit, recurring };
    items.push({ price: (await stripe.prices.create(price)).id });
  }
  await stripe.subscriptions.create({ customer, items });
  return [
    { type: 'charge.refunded', objectId: charges[0]?.id ?? 'none' },
    { type: 'charge.dispute.updated', objectId: dispute.id },
    { type: 'credit_note.updated', objectId: note.id },
  ].map((one, index) => ({ eventId: `evt_contract${index}`, ...one }));
}

/** A customer of the demo has paid a checkout; `settled` waits until its events are applied. */
async function payInDemo(stripe: Stripe): Promise<{ settled: Promise<AccountState> }> {
  const { control, customers, payments, subscriptions } = services;
  const customerId = 'cus_contract_demo';
  await control.createCustomer({ id: customerId });
  return await new Promise((resolve, reject) => {
    const payCheckout: typeof control.payCheckout = async (...payment) => {
      const answer = await control.payCheckout(...payment);
      resolve({ settled });
      return answer;
    };
    const told = { control: { ...control, payCheckout }, report: () => undefined };
    const demo = { stripe, customers, payments, subscriptions, ...told };
    const settled = runAccountDemo(demo, { customerId, name: 'Demo' });
    settled.catch(reject);
  });
}

/** `stripe.a.b.c(` in the product's source. */
function methodsInSource(): string[] {
  const root = path.join(import.meta.dirname, '../..');
  const folders = [
    'activities',
    'cli',
    'dev/demo',
    'dev/launch',
    'operations',
    'platform',
    'server',
    'worker',
  ];
  const texts = folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(path.join(root, folder, file), 'utf8')),
  );
  const found = texts.flatMap((text) => [...text.matchAll(/\bstripe((?:\s*\.\s*\w+){2,})\s*\(/g)]);
  const names = found.map(([, name = '']) => name.replaceAll(/\s/g, '').slice(1));
  // Of the double's control client, which has no such levels, nothing fits.
  return [...new Set(names)].toSorted();
}

const line = ({ method, path: where }: Recorded): string => `${method} ${where}`;

describe('our requests to Stripe, by Stripe’s published OpenAPI', () => {
  test('every SDK method in the source is known here', () => {
    expect(methodsInSource()).toEqual(Object.keys(calls).toSorted());
  });

  test('every one of them was recorded, and nothing else', () => {
    const notMade = Object.entries(calls).filter(
      ([, pattern]) => !requests.some((one) => pattern.test(line(one))),
    );
    expect(notMade.map(([name]) => name)).toEqual([]);
    const patterns = Object.values(calls);
    const others = requests.map(line).filter((one) => !patterns.some((known) => known.test(one)));
    expect(others).toEqual([]);
  });

  test('stripe-mock accepts each of them', async () => {
    const answers = await Promise.all(
      ofFirstVersion.map(async (one) => ({ request: line(one), ...(await send(mock.url, one)) })),
    );
    expect(answers.filter(({ status }) => status < 200 || status > 299)).toEqual([]);
  });

  test('FM5 the meter event on the wire: exactly these parameters', () => {
    const [event, ...others] = requests.filter((one) => one.path.endsWith('/meter_events'));
    expect(others).toEqual([]);
    expect(event?.headers['idempotency-key']).toBe('contract');
    const sent = Object.fromEntries(new URLSearchParams(event?.body));
    expect(sent).toEqual({
      event_name: 'file_processed',
      identifier: 'contract',
      timestamp: expect.stringMatching(/^[0-9]{10}$/) as unknown,
      'payload[stripe_customer_id]': 'cus_contract',
      'payload[value]': '1024',
    });
  });

  test('an unknown parameter is refused by both, so this check can fail', async () => {
    for (const one of ofFirstVersion) {
      const parameters = parametersOf(one);
      parameters.set('not_of_stripe', '1');
      const wrong = withParameters(one, parameters);
      const statuses = await Promise.all([send(mock.url, wrong), send(empty.url, wrong)]);
      expect([line(one), ...statuses.map(({ status }) => status)]).toEqual([line(one), 400, 400]);
    }
  });

  test('what stripe-mock refuses without a parameter, the double refuses too', async () => {
    let refused = 0;
    for (const one of ofFirstVersion) {
      for (const name of new Set(parametersOf(one).keys())) {
        const parameters = parametersOf(one);
        parameters.delete(name);
        const lacking = withParameters(one, parameters);
        if ((await send(mock.url, lacking)).status !== 400) continue;
        refused += 1;
        const { status } = await send(services.env['STRIPE_API_BASE'] ?? '', lacking);
        expect([line(one), `without ${name}`, status]).toEqual([line(one), `without ${name}`, 400]);
      }
    }
    expect(refused).toBeGreaterThan(0);
  });
});
