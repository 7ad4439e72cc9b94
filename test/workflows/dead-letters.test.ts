/** The admin API as operators call it: over a socket, with a real Temporal server and real activities. */
import { gzipSync } from 'node:zlib';
import { serve } from '@hono/node-server';
import type { ServerType } from '@hono/node-server';
import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deadLetterId, workflowIds } from '../../domain/ids.ts';
import { readEvent } from '../../domain/stripe-events.ts';
import { parseConfig } from '../../platform/config.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { createTemporalClient } from '../../platform/temporal.ts';
import { createTemporalRedrive } from '../../server/temporal-redrive.ts';
import { createEngine } from '../../engine/engine.ts';
import { queryNames } from '../../engine/contract.ts';
import type { CustomerProgress } from '../../domain/event-runs.ts';
import { withOperator } from '../server/api-support.ts';
import { adminToken, asAdmin } from '../server/dead-letters-support.ts';
import { createTestApp } from '../server/support.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startTestTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';
import { newLetter } from '../support/dead-letters.ts';

const patienceMs = 10_000;
const letters = '/v1/dead-letters';
const metrics = createMetrics();
let services: Services;
let temporal: BareTemporal;
let server: ServerType;
let address: string;

beforeAll(async () => {
  services = await startServices();
  temporal = await startTestTemporal(services, { metrics });
  const { app } = createTestApp(
    {},
    {},
    {
      tables: services,
      temporal: createTemporalRedrive(
        createEngine(temporal.client, { taskQueue, patienceMs, asUnavailable: true }),
      ),
      now: () => new Date(),
    },
    withOperator(adminToken),
  );
  address = await new Promise<string>((resolve) => {
    server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
      resolve(`http://127.0.0.1:${port}`);
    });
  });
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await temporal.stop();
  await services.stop();
});

async function post(path: string): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${address}${path}`, { method: 'POST', headers: asAdmin });
  return { status: answer.status, body: await answer.json() };
}
const redrive = async (id: string) => await post(`${letters}/${encodeURIComponent(id)}/redrive`);

/** Redriven until it is known how it ended, as an operator does it. */
async function redriveUntilKnown(id: string): Promise<unknown> {
  let known: unknown;
  await expect
    .poll(
      async () => {
        const { status, body } = await redrive(id);
        known = body;
        return status;
      },
      { timeout: 300_000, interval: 250 },
    )
    .toBe(200);
  return known;
}

const statusOf = async (id: string) => (await services.deadLetters.get(id))?.status;

/** A customer whose subscription was changed so often, as Stripe tells it; nothing is applied yet. */
async function changeSubscription(customer: string, times: number): Promise<Changed> {
  const { stripe, control } = services;
  await control.createCustomer({ id: customer });
  const product = await stripe.products.create({ name: 'Plan' });
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 500,
    recurring: { interval: 'month' },
  });
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    customer,
    line_items: [{ price: price.id, quantity: 1 }],
    success_url: 'http://127.0.0.1/done',
  });
  const { subscription } = await control.payCheckout(session.id);
  if (subscription === null) throw new Error('no subscription');
  for (let time = 0; time < times; time += 1) {
    await stripe.subscriptions.update(subscription, { cancel_at_period_end: time % 2 === 0 });
  }
  const events: Stripe.Event[] = [];
  for await (const event of stripe.events.list({ type: 'customer.subscription.updated' })) {
    if (JSON.stringify(event.data.object).includes(`"${customer}"`)) events.push(event);
  }
  // The newest come first; the older ones are of the checkout.
  const eventIds = await Promise.all(events.slice(0, times).map(layAside));
  return { subscription, eventIds };
}
interface Changed {
  subscription: string;
  eventIds: string[];
}

/** As the customer's workflow does it when an event cannot be applied. */
async function layAside(event: Stripe.Event): Promise<string> {
  const facts = readEvent(event);
  if (facts?.customerId === undefined) throw new Error('it is no event of a customer');
  const { eventId, customerId } = facts;
  await services.webhookEvents.put(facts, 'received', gzipSync(JSON.stringify(event)));
  const letter = newLetter('webhook-event', eventId, { customerId, error: 'no luck', attempts: 3 });
  await services.deadLetters.open(letter, new Date().toISOString());
  await services.webhookEvents.settle(eventId, 'dead', 'no luck');
  return eventId;
}

/** Every redrive that was announced has been looked at. */
async function nothingWaits(customer: string): Promise<void> {
  const run = temporal.client.workflow.getHandle(workflowIds.customer(customer));
  const waiting = async () => (await run.query<CustomerProgress>(queryNames.progress)).waiting;
  await expect.poll(waiting, { timeout: 300_000 }).toBe(0);
}

/** The events whose change was kept. */
async function historyOf(subscription: string): Promise<string[]> {
  const row = await services.subscriptions.get(subscription);
  return Object.keys(row?.history ?? {}).toSorted();
}
/** Events applied since the worker began; one that was found applied does not count. */
async function applied(): Promise<number> {
  const { values } = await metrics.webhooksApplied.get();
  return values.reduce((sum, { value }) => sum + value, 0);
}

test('WH7 an event redriven ten times at once, and once more, is applied once', async () => {
  const { subscription, eventIds } = await changeSubscription('cus_once', 1);
  const [eventId = ''] = eventIds;
  const id = deadLetterId('webhook-event', eventId);
  const before = await applied();
  const answers = await Promise.all(Array.from({ length: 10 }, async () => await redrive(id)));
  expect(answers.filter(({ status }) => status !== 200 && status !== 202)).toEqual([]);
  await redriveUntilKnown(id);
  expect(await redrive(id)).toEqual({
    status: 200,
    body: { id, eventId, outcome: 'already-redriven', state: 'applied' },
  });
  expect(await statusOf(id)).toBe('redriven');
  expect(await historyOf(subscription)).toEqual([eventId]);
  await nothingWaits('cus_once');
  expect((await applied()) - before).toBe(1);
});

test('WH7 DL9 usage that is redriven twice reaches Stripe once', async () => {
  const at = new Date().toISOString();
  await services.control.createCustomer({ id: 'cus_usage' });
  const usage = {
    identifier: 'use-once',
    customerId: 'cus_usage',
    meter: 'file_processed' as const,
    quantity: '7',
    occurredAt: at,
    source: { kind: 'processing' as const, id: 'use-once' },
  };
  await services.ledger.record(usage, at);
  await services.ledger.claim('use-once', at);
  const letter = newLetter('usage-parked', 'use-once', { customerId: 'cus_usage', attempts: 4 });
  const { id } = letter;
  await services.deadLetters.open(letter, at);
  await services.ledger.layAside('use-once', 'parked', 'Stripe HTTP 500', at);
  expect(await redrive(id)).toMatchObject({ status: 200, body: { outcome: 'redriven' } });
  expect(await redrive(id)).toMatchObject({ status: 200, body: { outcome: 'already-redriven' } });
  await expect
    .poll(async () => (await services.ledger.get('use-once'))?.state, { timeout: 300_000 })
    .toBe('delivered');
  expect(await services.control.total('cus_usage', 'file_processed')).toBe('7');
});

test('WH7 a day is measured again without the caller waiting; its letter closes when it is', async () => {
  await services.putFile('cus_day', 'a.csv', 'x'.repeat(10));
  const day = new Date().toISOString().slice(0, 10);
  const letter = newLetter('storage-day', day, { customerId: 'cus_day', error: 'no S3' });
  const { id } = letter;
  await services.deadLetters.open(letter, new Date().toISOString());
  expect(await redriveUntilKnown(id)).toMatchObject({ outcome: 'redriven', state: 'measured' });
  expect(await statusOf(id)).toBe('redriven');
  expect(await services.storageDaily.get('cus_day', day)).toMatchObject({ customerId: 'cus_day' });
});

test('WH7 redrive all: every event once, though it is asked for twice at once', async () => {
  const { subscription, eventIds } = await changeSubscription('cus_all', 3);
  const before = await applied();
  const path = `${letters}/redrive`;
  const both = await Promise.all([post(path), post(path)]);
  expect(both.map(({ status }) => status)).toEqual([200, 200]);
  for (const eventId of eventIds) {
    const id = deadLetterId('webhook-event', eventId);
    expect(await redriveUntilKnown(id)).toMatchObject({ state: 'applied' });
    expect(await statusOf(id)).toBe('redriven');
  }
  expect(eventIds).toHaveLength(3);
  expect(await historyOf(subscription)).toEqual(eventIds.toSorted());
  await nothingWaits('cus_all');
  expect((await applied()) - before).toBe(3);
});

test('WH7 Temporal away: 503, why is logged, and nothing is changed', async () => {
  const [eventId = ''] = (await changeSubscription('cus_away', 1)).eventIds;
  const id = deadLetterId('webhook-event', eventId);
  const read = async () => [
    await services.deadLetters.get(id),
    await services.webhookEvents.get(eventId),
  ];
  const before = await read();
  const env = { ...services.env, TEMPORAL_ADDRESS: '127.0.0.1:1' };
  const client = createTemporalClient(parseConfig(env), env, 500);
  const { app, lines } = createTestApp(
    {},
    {},
    {
      tables: services,
      temporal: createTemporalRedrive(
        createEngine(client, { taskQueue, patienceMs: 500, asUnavailable: true }),
      ),
      now: () => new Date(),
    },
    withOperator(adminToken),
  );
  const path = `${letters}/${encodeURIComponent(id)}/redrive`;
  const answer = await app.request(path, { method: 'POST', headers: asAdmin });
  expect([answer.status, await answer.json()]).toEqual([
    503,
    { error: 'unavailable', message: 'the workflow engine does not answer: try again' },
  ]);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { level: 50, code: 'unavailable', err: { message: expect.stringMatching(/./) as unknown } },
  ]);
  expect(await read()).toEqual(before);
  await client.connection.close();
});
