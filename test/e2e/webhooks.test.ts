/**
 * Stripe's webhooks while servers die: ours at every point between the request and the answer, and
 * Temporal. The double comes again as Stripe does; each event is applied once and none is lost.
 */
import pLimit from 'p-limit';
import type Stripe from 'stripe';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ApplyOutcome } from '../../activities/index.ts';
import { startApiServer } from '../../dev/stack/api-server.ts';
import { startTemporal } from '../../dev/stack/temporal.ts';
import type { RunningServer } from '../../dev/stack/types.ts';
import { startWorker } from '../../dev/stack/worker.ts';
import { signatureHeader } from '../../stripe-double/webhooks/signature.ts';
import { workflowIds } from '../../domain/ids.ts';
import { effectOf } from '../../domain/stripe-events.ts';
import type { EventArrival } from '../../domain/event-runs.ts';
import { startGate } from '../support/gate.ts';
import type { Gate } from '../support/gate.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startTcpGate } from '../support/tcp-gate.ts';
import type { TcpGate } from '../support/tcp-gate.ts';
import { goingOnAt, startBareTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';

const secret = 'whsec_of_this_test';
/** Events of history that a run may have: a tenth of what it may have in production. */
const suggestedAt = 400;
let services: Services;
let temporal: BareTemporal;
let engine: TcpGate;
let worker: RunningServer;
let server: RunningServer;
let serverPort = 0;
let price: string;
beforeAll(async () => {
  services = await startServices();
  temporal = await startBareTemporal(services, { suggestedAt });
  engine = await startTcpGate(temporal.server.address);
  const { dataDir } = services;
  const env = { ...services.env, ...shared(), EVENT_RATE_PER_SECOND: '1000' };
  worker = await startWorker({ dataDir, env });
  server = await spawnServer();
  serverPort = server.port;
  // Attempts follow one another after 0.06, 0.4, 1.4, 3.6, 7.2 s, and then every 8.6 s.
  await services.control.configureWebhooks({ paused: true, retryScale: 0.0002, concurrency: 20 });
  await services.control.addWebhook({ url: `${server.url}/webhooks/stripe`, secret });
  price = await monthlyPrice();
});
afterAll(async () => {
  await server.stop();
  await worker.stop();
  await engine.stop();
  await temporal.stop();
  await services.stop();
});

const shared = () => ({ TEMPORAL_ADDRESS: temporal.server.address, TASK_QUEUE: taskQueue });

/** On the port of the one before it, if there was one. */
async function spawnServer(env: Record<string, string> = {}): Promise<RunningServer> {
  return await startApiServer({
    dataDir: services.dataDir,
    port: serverPort,
    env: { ...services.env, ...shared(), STRIPE_WEBHOOK_SECRET: secret, ...env },
  });
}

async function kill(victim: RunningServer): Promise<void> {
  process.kill(victim.pid, 'SIGKILL');
  await victim.exited;
}

async function monthlyPrice(): Promise<string> {
  const product = await services.stripe.products.create({ name: 'A month' });
  const made = await services.stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 500,
    recurring: { interval: 'month' },
  });
  return made.id;
}

interface Subscribed {
  customer: string;
  subscription: string;
  /** All that the checkout told of and that changes something. */
  events: Stripe.Event[];
}

/** A customer who has paid a checkout, while the double delivers nothing. */
async function subscribe(customer: string): Promise<Subscribed> {
  const { stripe, control } = services;
  await control.configureWebhooks({ paused: true });
  await control.createCustomer({ id: customer });
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    customer,
    line_items: [{ price, quantity: 1 }],
    success_url: 'http://127.0.0.1/done',
  });
  const { subscription } = await control.payCheckout(session.id);
  const events = await eventsOf(customer);
  expect(new Set(events.map(({ type }) => effectOf(type)))).toEqual(
    new Set(['customer', 'checkout', 'subscription', 'invoice', 'payment-intent']),
  );
  return { customer, subscription: subscription ?? '', events };
}

async function eventsOf(customer: string): Promise<Stripe.Event[]> {
  const found: Stripe.Event[] = [];
  for await (const event of services.stripe.events.list({ limit: 100 })) {
    const isOurs = JSON.stringify(event.data.object).includes(`"${customer}"`);
    if (isOurs && effectOf(event.type) !== 'ignored') found.push(event);
  }
  return found;
}

const idsOf = (events: readonly { id: string }[]) => events.map(({ id }) => id).toSorted();
const patience = { timeout: 300_000 };

/** How often each status stands in the inbox; `missing` for events that are not there. */
async function inbox(ids: readonly string[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const limit = pLimit(20);
  const read = async (id: string) => await limit(services.webhookEvents.get, id);
  const rows = await Promise.all(ids.map(read));
  for (const { status } of rows.map((row) => row ?? { status: 'missing' })) {
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

/** The statuses that each event's delivery was answered, in the order of the attempts. */
async function answersTo(ids: readonly string[]): Promise<(number | null)[][]> {
  const deliveries = await Promise.all(
    ids.map(async (event) => await services.control.deliveries({ event })),
  );
  return deliveries.flat().map(({ attempts }) => attempts.map(({ status }) => status));
}

/**
 * All runs of a customer's workflow: how often each event was told of, and in which runs it was applied, by
 * the answers of the tasks.
 */
async function historyOf(customer: string) {
  const { workflow } = temporal.client;
  const told = new Map<string, number>();
  const applied = new Map<string, number>();
  let runs = 0;
  for await (const { workflowId, runId } of workflow.list({
    query: `WorkflowId = "${workflowIds.customer(customer)}"`,
  })) {
    runs += 1;
    const orders = new Map<string, string[]>();
    const { events } = await workflow.getHandle(workflowId, runId).fetchHistory();
    for (const event of events ?? []) {
      const signal = event.workflowExecutionSignaledEventAttributes?.input;
      if (signal !== undefined && signal !== null) count(told, read<EventArrival>(signal).eventId);
      const scheduled = event.activityTaskScheduledEventAttributes;
      if (scheduled?.activityType?.name === 'applyEvents') {
        orders.set(String(event.eventId), read<{ eventIds: string[] }>(scheduled.input).eventIds);
      }
      const completed = event.activityTaskCompletedEventAttributes;
      const order = orders.get(String(completed?.scheduledEventId));
      if (order === undefined) continue;
      const { applied: first } = read<ApplyOutcome>(completed?.result);
      for (const eventId of order.slice(0, first)) count(applied, eventId);
    }
  }
  return { runs, told, applied };
}

type Payloads = { payloads?: { data?: Uint8Array | null }[] | null } | null | undefined;

function read<Value>(payloads: Payloads): Value {
  const data = payloads?.payloads?.[0]?.data ?? new Uint8Array();
  return JSON.parse(Buffer.from(data).toString()) as Value;
}

function count(counts: Map<string, number>, eventId: string): void {
  counts.set(eventId, (counts.get(eventId) ?? 0) + 1);
}

const onceEach = (ids: readonly string[]) => Object.fromEntries(ids.map((id) => [id, 1]));

const whatChanges = ['status', 'items', 'cancel_at', 'cancel_at_period_end', 'pause_collection'];

/** The newest hundred of the events that tell of a change of their subscription. */
function newestTold(events: readonly Stripe.Event[]): string[] {
  return events
    .filter(({ type }) => effectOf(type) === 'subscription')
    .filter(({ type, data }) => {
      const before = Object.keys(data.previous_attributes ?? {});
      return (
        type !== 'customer.subscription.updated' ||
        before.some((name) => whatChanges.includes(name))
      );
    })
    .toSorted((one, other) => other.created - one.created || (one.id < other.id ? 1 : -1))
    .slice(0, 100)
    .map(({ id }) => id)
    .toSorted();
}

/** Delivered, applied, once: in the inbox, in the customer's workflow and in every row it changes. */
async function expectAppliedOnce({ customer, subscription, events }: Subscribed): Promise<void> {
  const ids = idsOf(events);
  await expect
    .poll(async () => (await answersTo(ids)).map((answers) => answers.at(-1)), patience)
    .toEqual(ids.map(() => 200));
  await expect.poll(async () => await inbox(ids), patience).toEqual({ applied: ids.length });
  // A task tells of what it applied when it ends.
  await expect
    .poll(async () => Object.fromEntries((await historyOf(customer)).applied), patience)
    .toEqual(onceEach(ids));
  expect((await services.customers.get(customer))?.billingStatus).toBe('active');
  const row = await services.subscriptions.get(subscription);
  expect(row?.status).toBe('active');
  expect(Object.keys(row?.history ?? {}).toSorted()).toEqual(newestTold(events));
  const payments = await services.payments.ofCustomer(customer, 10);
  expect(payments.map(({ status, amount }) => ({ status, amount }))).toEqual([
    { status: 'succeeded', amount: 500 },
  ]);
  for (const id of ids) {
    expect(await services.deadLetters.get(`webhook-event/${id}`)).toBeUndefined();
  }
}

describe('WH2 I5 our server is killed', () => {
  let tables: Gate;
  beforeEach(async () => {
    tables = await startGate(services.env['DYNAMODB_ENDPOINT'] ?? '');
    await server.stop();
    server = await spawnServer({
      DYNAMODB_ENDPOINT: tables.url,
      TEMPORAL_ADDRESS: engine.address,
    });
  });
  afterEach(async () => {
    await tables.stop();
  });

  /** Lets the events come, kills the server when all of them are at the point, and starts another. */
  async function killWhen(allThere: () => Promise<void>): Promise<void> {
    await services.control.configureWebhooks({ paused: false });
    await allThere();
    await kill(server);
    engine.open();
    tables.open();
  }

  function holdInbox(ids: readonly string[], when: 'before' | 'after'): void {
    for (const id of ids) {
      tables.hold({
        when,
        matches: (request) =>
          request.includes('DynamoDB_20120810.PutItem') &&
          request.includes('webhook-events') &&
          request.includes(`"${id}"`),
      });
    }
  }

  test.each(['before', 'after'] as const)('%s the inbox has the event', async (when) => {
    const subscribed = await subscribe(`cus_inbox_${when}`);
    const ids = idsOf(subscribed.events);
    holdInbox(ids, when);
    await killWhen(async () => {
      await tables.waitForHeld(ids.length);
    });
    const there = when === 'before' ? { missing: ids.length } : { received: ids.length };
    expect(await inbox(ids)).toEqual(there);
    expect((await historyOf(subscribed.customer)).runs).toBe(0);
    server = await spawnServer();
    await expectAppliedOnce(subscribed);
    expect((await answersTo(ids)).map(([first]) => first)).toEqual(ids.map(() => null));
  });

  test('between the inbox and the signal', async () => {
    const subscribed = await subscribe('cus_before_signal');
    const ids = idsOf(subscribed.events);
    engine.freeze('requests');
    await killWhen(async () => {
      await expect
        .poll(() => ids.filter((id) => !engine.held().includes(id)), patience)
        .toEqual([]);
    });
    expect(await inbox(ids)).toEqual({ received: ids.length });
    expect((await historyOf(subscribed.customer)).runs).toBe(0);
    server = await spawnServer();
    await expectAppliedOnce(subscribed);
    expect((await answersTo(ids)).map(([first]) => first)).toEqual(ids.map(() => null));
  });

  test('between the signal and the answer', async () => {
    const subscribed = await subscribe('cus_after_signal');
    const ids = idsOf(subscribed.events);
    engine.freeze('answers');
    await killWhen(async () => {
      await expect
        .poll(
          async () => [...(await historyOf(subscribed.customer)).told.keys()].toSorted(),
          patience,
        )
        .toEqual(ids);
    });
    expect((await answersTo(ids)).flat().filter((status) => status === 200)).toEqual([]);
    server = await spawnServer();
    await expectAppliedOnce(subscribed);
    expect((await answersTo(ids)).map(([first]) => first)).toEqual(ids.map(() => null));
  });
});

test('WH2 Temporal is killed: 503, not silence, and the event is kept; when it is back, applied once', async () => {
  const subscribed = await subscribe('cus_no_engine');
  const ids = idsOf(subscribed.events);
  await kill(temporal.server);
  await services.control.configureWebhooks({ paused: false });
  await expect
    .poll(async () => (await answersTo(ids)).map(([first]) => first), patience)
    .toEqual(ids.map(() => 503));
  expect(await inbox(ids)).toEqual({ received: ids.length });
  expect(await services.subscriptions.get(subscribed.subscription)).toBeUndefined();
  const { dataDir } = services;
  temporal.server = await startTemporal({
    dataDir,
    port: temporal.server.port,
    ...goingOnAt(suggestedAt),
  });
  await expectAppliedOnce(subscribed);
});

/** Each is a signal: with the tasks beside them several times what a run may have here. */
const floodSize = 1200;
test(`WH5 I6 ${floodSize} events of one customer, every tenth twice: several runs, each event applied once`, async () => {
  const { customer, subscription } = await subscribe('cus_flood');
  await services.stripe.subscriptions.update(subscription, { cancel_at_period_end: true });
  const own = await eventsOf(customer);
  await services.control.configureWebhooks({ paused: false });
  const flood = makeFlood(own);
  const limit = pLimit(20);
  await Promise.all(
    flood
      .flatMap((event, index) => (index % 10 === 0 ? [event, event] : [event]))
      .map(async (event) => {
        await limit(async () => {
          await sendUntilTaken(event);
        });
      }),
  );
  const ids = idsOf([...flood, ...own]);
  const handle = temporal.client.workflow.getHandle(workflowIds.customer(customer));
  const progress = { waiting: 0, applied: ids.length, dead: 0 };
  await expect
    .poll(async () => await handle.query('progress'), { timeout: 800_000, interval: 1000 })
    .toEqual(progress);
  expect(await inbox(ids)).toEqual({ applied: ids.length });
  const { runs, applied } = await historyOf(customer);
  expect(runs).toBeGreaterThan(1);
  expect(Object.fromEntries(applied)).toEqual(onceEach(ids));
  const row = await services.subscriptions.get(subscription);
  expect(row).toMatchObject({ status: 'active', cancelAtPeriodEnd: true });
  expect(Object.keys(row?.history ?? {}).toSorted()).toEqual(newestTold([...own, ...flood]));
  const payments = await services.payments.ofCustomer(customer, 10);
  expect(payments.map(({ status, amount }) => ({ status, amount }))).toEqual([
    { status: 'succeeded', amount: 500 },
  ]);
  expect((await services.customers.get(customer))?.billingStatus).toBe('active');
}, 900_000);

/** Every kind of event that the customer has, under new ids; of each second one nobody knows what changed. */
function makeFlood(own: readonly Stripe.Event[]): Stripe.Event[] {
  return Array.from({ length: floodSize }, (_, index) => {
    const template = own[index % own.length];
    if (template === undefined) throw new Error('no event to flood with');
    const event = { ...template, id: `evt_flood${index}x`, created: template.created + index };
    const isUpdate = template.type === 'customer.subscription.updated';
    const data = { ...template.data, previous_attributes: {} };
    return isUpdate && index % 2 === 0 ? ({ ...event, data } as Stripe.Event) : event;
  });
}

/** As Stripe would: signed, and again after a 503 and when no answer came. */
async function sendUntilTaken(event: object): Promise<void> {
  const body = JSON.stringify(event);
  for (;;) {
    const signature = signatureHeader(body, secret, Math.floor(Date.now() / 1000));
    const sent = fetch(`${server.url}/webhooks/stripe`, {
      method: 'POST',
      body,
      headers: { 'stripe-signature': signature },
    });
    const status = await sent.then(
      async (answer) => await answer.arrayBuffer().then(() => answer.status),
      () => undefined,
    );
    if (status === 200) return;
    expect([503, undefined]).toContain(status);
  }
}
