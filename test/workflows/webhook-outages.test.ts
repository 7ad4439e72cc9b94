/** Webhooks on a real Temporal server while Stripe is away, and when a line's workflow is ended by hand. */
import { gzipSync } from 'node:zlib';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { workflowIds } from '../../domain/ids.ts';
import { effectOf, readEvent } from '../../domain/stripe-events.ts';
import { queryNames } from '../../engine/contract.ts';
import { applySchedules } from '../../platform/schedules.ts';
import { createDynamoDb } from '../../platform/dynamodb.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import { createWebhookEvents } from '../../tables/webhook-events.ts';
import type { WebhookEvents } from '../../tables/webhook-events.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startTestTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';

let services: Services;
let temporal: BareTemporal;
let price: string;
/** Takes events in as a server did a minute ago: the sweep is due for them. */
let inboxOfMinuteAgo: WebhookEvents;
let dynamodb: DynamoDBClient;
beforeAll(async () => {
  services = await startServices();
  temporal = await startTestTemporal(services);
  await services.control.configureWebhooks({ paused: true });
  const { id: product } = await services.stripe.products.create({ name: 'A month' });
  const recurring = { interval: 'month' as const };
  const wanted = { product, currency: 'usd', unit_amount: 0, recurring };
  price = (await services.stripe.prices.create(wanted)).id;
  const { TABLE_PREFIX } = services.config;
  const minuteAgo = () => new Date(Date.now() - 60_000);
  dynamodb = createDynamoDb(services.config);
  inboxOfMinuteAgo = createWebhookEvents(createTableStore(dynamodb, TABLE_PREFIX, minuteAgo));
});
afterAll(async () => {
  await temporal.stop();
  dynamodb.destroy();
  await services.stop();
});

const patience = { timeout: 300_000, interval: 500 };
const slowly = 300_000;

/** A customer's subscription, and the event that it was made. */
async function subscribe(customer: string): Promise<{ id: string; event: Stripe.Event }> {
  const { stripe, control } = services;
  await control.createCustomer({ id: customer });
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price }] });
  const type = 'customer.subscription.created';
  const { data } = await stripe.events.list({ type, limit: 100 });
  const event = data.find(({ data: { object } }) => 'id' in object && object.id === id);
  if (event === undefined) throw new Error('nothing happened');
  return { id, event };
}

async function receive(
  event: object,
  inbox: WebhookEvents = services.webhookEvents,
): Promise<{ line: string; eventId: string }> {
  const facts = readEvent(event);
  if (facts?.customerId === undefined) throw new Error('it is no event of a customer');
  await inbox.put(facts, 'received', gzipSync(JSON.stringify(event)));
  return { line: facts.customerId, eventId: facts.eventId };
}

/** Puts the schedules there as the worker does, and has the sweep's run now instead of within a minute. */
async function sweepNow(): Promise<void> {
  await applySchedules(temporal.client, taskQueue);
  const id = workflowIds.sweepWebhooks();
  const sweep = temporal.client.schedule.getHandle(id);
  const { state, info } = await sweep.describe();
  expect(state.paused).toBe(false);
  // What it does by itself: every minute, from the next one on.
  const timesMs = info.nextActionTimes.slice(0, 3).map((time) => time.getTime());
  const [firstMs = Number.POSITIVE_INFINITY] = timesMs;
  expect(firstMs - Date.now()).toBeLessThanOrEqual(60_000);
  expect(timesMs).toEqual([firstMs, firstMs + 60_000, firstMs + 120_000]);
  await sweep.trigger();
}

/* At the same time: each waits 30 s in the pauses between its tries. */
test.concurrent.each([429, 503])(
  'WH10 case 18: Stripe answers %i longer than WH6 would try: every mirror is right, nobody was needed',
  async (status) => {
    const customers = Array.from({ length: 20 }, (_, index) => `cus_outage${status}n${index}`);
    const all: { id: string; event: Stripe.Event }[] = [];
    for (const customer of customers) all.push(await subscribe(customer));
    // Four questions for each of them: one more than WH6 has tries.
    for (const { id } of all) {
      const path = `/v1/subscriptions/${id}`;
      await services.control.fault({ kind: 'status', path, method: 'GET', status, times: 4 });
    }
    for (const { event } of all) {
      const { line, eventId } = await receive(event);
      await temporal.engine.announceEvent(line, eventId);
    }
    await expect
      .poll(async () => {
        const rows = await Promise.all(
          all.map(async ({ event }) => await services.webhookEvents.get(event.id)),
        );
        return rows.filter((row) => row?.status === 'applied').length;
      }, patience)
      .toBe(all.length);
    const faults = await services.control.faults();
    const hits = all.map(({ id }) => faults.find(({ path }) => path.endsWith(id))?.hits);
    expect(hits).toEqual(all.map(() => 4));
    const mirrors = await Promise.all(
      all.map(async ({ id }) => (await services.subscriptions.get(id))?.status),
    );
    expect(mirrors).toEqual(all.map(() => 'active'));
    const letters = await Promise.all(
      all.map(async ({ event }) => await services.deadLetters.get(`webhook-event/${event.id}`)),
    );
    expect(letters).toEqual(all.map(() => undefined));
  },
  slowly,
);

test(
  'WH2 case 16: its line’s workflow is terminated while it waits: applied without anyone’s help',
  async () => {
    const { id, event } = await subscribe('cus_terminated');
    const path = `/v1/subscriptions/${id}`;
    const { id: fault } = await services.control.fault({
      kind: 'status',
      path,
      status: 503,
      times: null,
    });
    const { line, eventId } = await receive(event, inboxOfMinuteAgo);
    expect(effectOf(event.type)).toBe('subscription');
    await temporal.engine.announceEvent(line, eventId);
    const handle = temporal.client.workflow.getHandle(workflowIds.customer(line));
    await expect
      .poll(
        async () => (await handle.query<{ pausedBy?: string }>(queryNames.progress)).pausedBy,
        patience,
      )
      .toContain('503');
    await handle.terminate('an operator');
    await services.control.clearFaults(fault);
    expect((await services.webhookEvents.get(eventId))?.status).toBe('received');
    await sweepNow();
    await expect
      .poll(async () => (await services.webhookEvents.get(eventId))?.status, patience)
      .toBe('applied');
    expect((await services.subscriptions.get(id))?.status).toBe('active');
  },
  slowly,
);

test(
  'WH2 case 16, second form: a Temporal that was wiped knows nothing of three events: they are applied',
  async () => {
    // As it is after its database was deleted: in the inbox, and this server never heard of them.
    const all: { id: string; eventId: string }[] = [];
    for (const customer of ['cus_wiped1', 'cus_wiped2', 'cus_wiped3']) {
      const { id, event } = await subscribe(customer);
      await receive(event, inboxOfMinuteAgo);
      all.push({ id, eventId: event.id });
    }
    await sweepNow();
    await expect
      .poll(async () => {
        const rows = await Promise.all(
          all.map(async ({ eventId }) => await services.webhookEvents.get(eventId)),
        );
        return rows.map((row) => row?.status);
      }, patience)
      .toEqual(['applied', 'applied', 'applied']);
    const mirrors = await Promise.all(
      all.map(async ({ id }) => (await services.subscriptions.get(id))?.status),
    );
    expect(mirrors).toEqual(['active', 'active', 'active']);
  },
  slowly,
);
