import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createActivities, createStripeActivities } from '../../activities/index.ts';
import type { Usage } from '../../domain/usage.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

const hourMs = 3_600_000;
let services: Services;
let count = 0;

beforeAll(async () => {
  services = await startServices();
});
afterAll(async () => {
  await services.stop();
});
beforeEach(async () => {
  await services.control.clearFaults();
  await services.control.resetClock();
  await services.control.configure({ meterEventsPerSecond: null, summaryLagMs: 0 });
});

/** A usage record of a customer of its own, in the ledger. */
async function recorded(change: Partial<Usage> = {}, now = new Date()): Promise<Usage> {
  count += 1;
  const usage: Usage = {
    identifier: `job-${count}`,
    customerId: `cus_send${count}`,
    meter: 'file_processed',
    quantity: '1024',
    occurredAt: now.toISOString(),
    source: { kind: 'processing', id: `job-${count}` },
    ...change,
  };
  if (usage.customerId !== 'cus_unknown') {
    await services.control.createCustomer({ id: usage.customerId });
  }
  await services.ledger.record(usage, now.toISOString());
  return usage;
}

/** The SDK itself repeats a call once whose connection was closed (facts of stripe 23). */
const timesFor = (kind: string): number => (kind.startsWith('drop') ? 2 : 1);

function sender(now: () => Date = () => new Date()) {
  const { deps, told } = createTestDependencies(services, { now });
  const activities = { ...createActivities(deps), ...createStripeActivities(deps) };
  return { ...activities, told, deps };
}

const received = async (usage: Usage) =>
  await services.control.events({ identifier: usage.identifier });
const state = async (usage: Usage) => (await services.ledger.get(usage.identifier))?.state;

describe('what goes over the wire', () => {
  test('FM5 event name, identifier, customer, plain digits, seconds, and the key', async () => {
    const usage = await recorded({ quantity: '123456789012345' });
    await sender().sendUsage({ identifier: usage.identifier });
    const [request] = (await services.control.requests()).filter(
      (seen) => seen.path === '/v1/billing/meter_events',
    );
    const [event] = await received(usage);
    expect(event).toMatchObject({
      identifier: usage.identifier,
      customer: usage.customerId,
      eventName: 'file_processed',
      value: '123456789012345',
      timestamp: Math.floor(Date.parse(usage.occurredAt) / 1000),
    });
    expect(request?.idempotencyKey).toBe(usage.identifier);
  });

  test('DL2 claim, send, confirm: states and life of a delivery', async () => {
    const usage = await recorded();
    const { sendUsage, told } = sender();
    expect(await sendUsage({ identifier: usage.identifier })).toEqual({
      identifier: usage.identifier,
      state: 'delivered',
    });
    const row = await services.ledger.get(usage.identifier);
    expect(row?.life.map((event) => event.what)).toEqual(['recorded', 'sending', 'delivered']);
    expect(row).toMatchObject({ state: 'delivered', attempts: 1 });
    expect(told.settled).toEqual([{ identifier: usage.identifier, state: 'delivered' }]);
  });

  test('I3 sent again after it was delivered: nothing happens at Stripe', async () => {
    const usage = await recorded();
    const { sendUsage } = sender();
    await sendUsage({ identifier: usage.identifier });
    await sendUsage({ identifier: usage.identifier });
    expect(await received(usage)).toHaveLength(1);
    expect((await services.ledger.get(usage.identifier))?.attempts).toBe(1);
  });
});

describe('answers of Stripe', () => {
  test('FM8 "An event already exists" is success', async () => {
    const usage = await recorded();
    await services.stripe.billing.meterEvents.create({
      event_name: usage.meter,
      identifier: usage.identifier,
      payload: { stripe_customer_id: usage.customerId, value: usage.quantity },
    });
    const settled = await sender().sendUsage({ identifier: usage.identifier });
    expect(settled.state).toBe('delivered');
    expect(await received(usage)).toHaveLength(1);
  });

  test('FM7 an unknown customer: rejected, a dead letter with the reason, told to the source', async () => {
    const usage = await recorded({ customerId: 'cus_unknown' });
    const { sendUsage, told } = sender();
    expect((await sendUsage({ identifier: usage.identifier })).state).toBe('rejected');
    const letter = await services.deadLetters.get(`usage-rejected/${usage.identifier}`);
    expect(letter).toMatchObject({ customerId: 'cus_unknown', status: 'open', attempts: 1 });
    expect(letter?.error).toContain('No such customer');
    expect(letter?.record['quantity']).toBe('1024');
    expect(told.settled[0]?.error).toContain('No such customer');
  });

  test.each([
    ['fail_before', 0],
    ['fail_after', 1],
    ['html_502', 0],
    ['drop_before', 0],
  ] as const)('DL3 %s is tried again, and counts once', async (kind, appliedAtFirst) => {
    const usage = await recorded();
    await services.control.fault({
      kind,
      path: '/v1/billing/meter_events',
      match: usage.identifier,
      times: timesFor(kind),
    });
    const { sendUsage } = sender();
    await expect(sendUsage({ identifier: usage.identifier })).rejects.toMatchObject({
      type: 'Outside',
      nonRetryable: false,
    });
    expect(await state(usage)).toBe('sending');
    expect(await received(usage)).toHaveLength(appliedAtFirst);
    // Stripe replays a saved 500 under the same key: the retries get past that as well.
    for (let attempt = 0; attempt < 3 && (await state(usage)) !== 'delivered'; attempt += 1) {
      await sendUsage({ identifier: usage.identifier }).catch(() => undefined);
    }
    expect(await state(usage)).toBe('delivered');
    expect(await received(usage)).toHaveLength(1);
  });

  test('DL3 a connection dropped after the event was applied: counts once', async () => {
    const usage = await recorded();
    await services.control.fault({
      kind: 'drop_after',
      path: '/v1/billing/meter_events',
      match: usage.identifier,
    });
    expect((await sender().sendUsage({ identifier: usage.identifier })).state).toBe('delivered');
    expect(await received(usage)).toHaveLength(1);
  });

  test('DL3 429 honours Retry-After', async () => {
    const usage = await recorded();
    await services.control.fault({
      kind: 'rate_limit',
      path: '/v1/billing/meter_events',
      match: usage.identifier,
      retryAfter: 7,
    });
    await expect(sender().sendUsage({ identifier: usage.identifier })).rejects.toMatchObject({
      nextRetryDelay: 7000,
    });
  });

  test.each([401, 403])('DL3 %i stops the delivery and blames no record', async (status) => {
    const usage = await recorded();
    await services.control.fault({
      kind: 'status',
      status,
      path: '/v1/billing/meter_events',
      match: usage.identifier,
    });
    const { sendUsage, deferUsage } = sender();
    await expect(sendUsage({ identifier: usage.identifier })).rejects.toMatchObject({
      type: 'DeliveryHalted',
      nonRetryable: true,
    });
    const order = { identifier: usage.identifier, error: 'refused key', halted: true };
    expect((await deferUsage(order)).again).toBe(true);
    expect(await state(usage)).toBe('pending');
    expect(await services.deadLetters.get(`usage-rejected/${usage.identifier}`)).toBeUndefined();
  });

  test.each([400, 404, 422])('DL3 %i is rejected at once', async (status) => {
    const usage = await recorded();
    await services.control.fault({
      kind: 'status',
      status,
      path: '/v1/billing/meter_events',
      match: usage.identifier,
    });
    expect((await sender().sendUsage({ identifier: usage.identifier })).state).toBe('rejected');
  });
});

describe('before sending', () => {
  test.each([
    ['older than 35 days', -35 * 24 * hourMs - 60_000],
    ['more than 5 minutes ahead', 6 * 60_000],
  ])('FM10 %s: refused, a dead letter, no call', async (_name, offsetMs) => {
    const usage = await recorded({ occurredAt: new Date(Date.now() + offsetMs).toISOString() });
    expect((await sender().sendUsage({ identifier: usage.identifier })).state).toBe('rejected');
    const letter = await services.deadLetters.get(`usage-rejected/${usage.identifier}`);
    expect(letter?.error).toContain('timestamp');
    expect(await services.ledger.get(usage.identifier)).toMatchObject({ attempts: 0 });
  });
});

describe('DL2 a first attempt over a day ago is compared with Stripe’s sums', () => {
  /** Sent a day and an hour ago, its outcome unknown. */
  async function uncertain(fault: 'fail_before' | 'fail_after'): Promise<Usage> {
    const then = new Date(Date.now() - 25 * hourMs);
    await services.control.setClock(then.toISOString());
    const usage = await recorded({}, then);
    await services.control.fault({
      kind: fault,
      path: '/v1/billing/meter_events',
      match: usage.identifier,
    });
    await sender(() => then)
      .sendUsage({ identifier: usage.identifier })
      .catch(() => undefined);
    await services.control.resetClock();
    expect(await state(usage)).toBe('sending');
    return usage;
  }

  test('it had arrived: delivered without another call, though Stripe forgot the identifier', async () => {
    const usage = await uncertain('fail_after');
    expect((await sender().sendUsage({ identifier: usage.identifier })).state).toBe('delivered');
    expect(await received(usage)).toHaveLength(1);
    expect((await services.ledger.get(usage.identifier))?.attempts).toBe(1);
  });

  test('it had not: sent', async () => {
    const usage = await uncertain('fail_before');
    expect((await sender().sendUsage({ identifier: usage.identifier })).state).toBe('delivered');
    expect(await received(usage)).toHaveLength(1);
  });

  test('the sums do not tell: parked for a person, not sent', async () => {
    const usage = await uncertain('fail_before');
    await services.stripe.billing.meterEvents.create({
      event_name: usage.meter,
      identifier: `foreign-${usage.identifier}`,
      timestamp: Math.floor(Date.parse(usage.occurredAt) / 1000),
      payload: { stripe_customer_id: usage.customerId, value: '5' },
    });
    expect((await sender().sendUsage({ identifier: usage.identifier })).state).toBe('parked');
    expect(await received(usage)).toHaveLength(0);
    expect(await services.deadLetters.get(`usage-parked/${usage.identifier}`)).toMatchObject({
      status: 'open',
    });
  });
});

describe('put off', () => {
  test('FM6 the processing stays completed and names the error; the record waits', async () => {
    const usage = await recorded();
    const { processings } = services;
    const at = new Date().toISOString();
    const { identifier: processingId, customerId } = usage;
    await processings.begin({ processingId, customerId, fileCount: 1, filesDigest: 'd' }, at);
    await processings.complete(processingId, 1024, at);
    const { deferUsage, told } = sender();
    const order = { identifier: processingId, error: 'Stripe HTTP 500: down', halted: false };
    expect((await deferUsage(order)).again).toBe(true);
    expect(await processings.get(processingId)).toMatchObject({
      status: 'completed',
      errorMessage: 'Stripe HTTP 500: down',
    });
    expect(await state(usage)).toBe('pending');
    expect(told.settled[0]).toMatchObject({ state: 'pending', error: 'Stripe HTTP 500: down' });
  });

  test('DL9 retries ran out: parked, with record, error, attempts and times', async () => {
    const usage = await recorded();
    const { sendUsage } = sender();
    await services.control.fault({
      kind: 'fail_before',
      path: '/v1/billing/meter_events',
      match: usage.identifier,
    });
    await sendUsage({ identifier: usage.identifier }).catch(() => undefined);
    const late = sender(() => new Date(Date.now() + 73 * hourMs));
    const order = { identifier: usage.identifier, error: 'Stripe HTTP 500: down', halted: false };
    // DL14: it may be at Stripe, so its sums are asked before it is laid aside.
    expect(await late.deferUsage(order)).toEqual({ again: true, dueInMs: hourMs });
    expect(await late.sendUsage({ identifier: usage.identifier })).toMatchObject({
      state: 'parked',
    });
    const letter = await services.deadLetters.get(`usage-parked/${usage.identifier}`);
    expect(letter).toMatchObject({
      kind: 'usage-parked',
      subject: { identifier: usage.identifier },
      attempts: 1,
      status: 'open',
      error: 'retries ran out; last: Stripe HTTP 500: down',
    });
    expect(letter?.record).toMatchObject({ quantity: '1024', identifier: usage.identifier });
    expect(letter?.createdAt).toBe(letter?.updatedAt);
  });
});

test('DL5 the sweep wakes exactly the shards that hold something overdue', async () => {
  const own = await startServices();
  try {
    const { deps, told } = createTestDependencies(own);
    const { wakeShards, listUndelivered } = createActivities(deps);
    expect(await wakeShards()).toEqual({ woken: [] });
    const old = new Date(Date.now() - 2 * 60_000).toISOString();
    const usage: Usage = {
      identifier: 'left-behind',
      customerId: 'cus_left',
      meter: 'file_processed',
      quantity: '7',
      occurredAt: old,
      source: { kind: 'processing', id: 'left-behind' },
    };
    await own.ledger.record(usage, old);
    const { woken } = await wakeShards();
    expect(woken).toHaveLength(1);
    expect(told.swept).toEqual(woken);
    expect((await deps.metrics.usageOverdue.get()).values[0]?.value).toBeGreaterThanOrEqual(120);
    const shard = woken[0] ?? -1;
    expect(await listUndelivered({ shard })).toEqual({
      waiting: [{ identifier: 'left-behind', lane: 'cus_left/file_processed', dueInMs: 1 }],
      more: false,
    });
  } finally {
    await own.stop();
  }
});
