/** One bad row, one refused write: that customer's alone, and everybody else's night goes on (SB19). */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { createActivities } from '../../activities/index.ts';
import { customersKey, inputKey } from '../../domain/files.ts';
import { previousMonth } from '../../domain/period.ts';
import { createDynamoDb } from '../../platform/dynamodb.ts';
import { parseConfig } from '../../platform/config.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import type { TableStore } from '../../tables/dynamo.ts';
import { createStorageDaily } from '../../tables/storage-daily.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startGate } from '../support/gate.ts';
import type { Gate } from '../support/gate.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

const day = new Date().toISOString().slice(0, 10);
const month = previousMonth(day);
let services: Services;
let gate: Gate;
let store: TableStore;
beforeAll(async () => {
  services = await startServices();
  gate = await startGate(services.env['DYNAMODB_ENDPOINT'] ?? '');
  const client = createDynamoDb(parseConfig({ ...services.env, DYNAMODB_ENDPOINT: gate.url }));
  store = createTableStore(client, services.config.TABLE_PREFIX);
});
afterAll(async () => {
  store.db.destroy();
  await gate.stop();
  await services.stop();
});
beforeEach(() => {
  gate.open();
});

function activities(changes: Partial<Dependencies> = {}) {
  const storageDaily = createStorageDaily(store);
  return createActivities(createTestDependencies(services, { storageDaily, ...changes }).deps);
}

async function run<Order, Result>(
  activity: (order: Order) => Promise<Result>,
  order: Order,
): Promise<Result> {
  type Activity = (order: Order) => Promise<Result>;
  return await new MockActivityEnvironment().run<[Order], Result, Activity>(activity, order);
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `cus_${prefix}${1000 + index}`);

async function addAll(ids: readonly string[]): Promise<void> {
  const facts = { plan: 'free', billingStatus: 'none', createdAt: `${day}T00:00:00.000Z` } as const;
  for (const customerId of ids) await services.customers.add({ customerId, ...facts });
}

async function putRow(table: string, Item: Record<string, unknown>): Promise<void> {
  await store.db.send(new PutCommand({ TableName: `${store.prefix}${table}`, Item }));
}

const isPut = (request: string): boolean => request.includes('PutItem');
const throttling = 'ThrottlingException';

describe('SB19 rows that cannot be read', () => {
  test('SB19 a row of a sign-up form among thirty: 29 customers measured, one dead letter that names it', async () => {
    const ids = names('form', 30);
    const [bad = '', ...good] = ids;
    await addAll(good);
    await putRow('customers', { customerId: bad, email: null, billingStatus: 'trialing' });
    await putRow('customers', { customerId: 'cus_form/../cus_form1001', plan: 'free' });
    const facts = { plan: 'free', billingStatus: 'none', createdAt: `${day}T00:00:00.000Z` };
    await putRow('customers', { customerId: 'not_a_customer', ...facts });
    for (const id of good) await services.putFile(id, 'a', 'xyz');
    const { planDay, aggregateChunk } = activities();
    const order = { day, runKey: 'form' };
    expect(await run(planDay, order)).toEqual({ chunks: 1, customers: 29, failed: 3 });
    expect(await run(aggregateChunk, { ...order, chunk: 0 })).toMatchObject({
      customers: 29,
      bytes: '87',
      failed: [],
    });
    expect(await services.deadLetters.get(`storage-day/${bad}/${day}`)).toMatchObject({
      kind: 'storage-day',
      customerId: bad,
      status: 'open',
      error: expect.stringContaining(`the row customers/${bad} cannot be read (`) as string,
    });
    expect(await services.deadLetters.get(`storage-day/not_a_customer/${day}`)).toMatchObject({
      error: expect.stringContaining('is not a Stripe customer id') as string,
    });
    expect(await services.storageDaily.get(bad, day)).toBeUndefined();
  });

  test('SB19 a day of "12.5" bytes: its customer is billable like the others, and refused for good', async () => {
    const [first = '', bad = '', last = ''] = names('month', 3);
    const date = `${month}-05`;
    const { put } = services.storageDaily;
    const row = (customerId: string) => ({
      customerId,
      date,
      totalStorageBytesInput: '5',
      totalStorageBytesOutput: '5',
      totalStorageBytes: '10',
      fileCountInput: 1,
      fileCountOutput: 1,
      totalFileCount: 2,
      billingMonth: month,
    });
    for (const id of [first, last]) await put(row(id), `${date}T01:00:00.000Z`);
    await putRow('storage-usage-daily', {
      ...row(bad),
      totalStorageBytes: '12.5',
      billingStatus: 'pending',
      calculatedAt: `${date}T01:00:00.000Z`,
      ttl: Math.floor(Date.now() / 1000) + 86_400,
    });
    const { listBillable, prepareBill, failBill } = activities();
    expect(await run(listBillable, { month, after: '', limit: 10 })).toEqual({
      customerIds: [first, bad, last],
      more: false,
    });
    for (const customerId of [first, last]) {
      expect(await run(prepareBill, { customerId, month, runId: 'run' })).toMatchObject({
        bytes: '10',
      });
    }
    const refusal = `the row storage-usage-daily/${bad}/${date} cannot be read (totalStorageBytes: `;
    await expect(run(prepareBill, { customerId: bad, month, runId: 'run' })).rejects.toMatchObject({
      type: 'Refused',
      nonRetryable: true,
      message: expect.stringContaining(refusal) as string,
    });
    await run(failBill, { customerId: bad, month, error: refusal });
    expect(await services.deadLetters.get(`storage-bill/${bad}/${month}`)).toMatchObject({
      error: refusal,
    });
  });

  test('SB19 a bill that cannot be read gets its dead letter, and hides no other from the window', async () => {
    const [bad = '', good = ''] = names('bill', 2);
    await putRow('storage-usage-monthly', { customerId: bad, billingMonth: month, notes: 7 });
    const { checkBills } = activities();
    const standings = await run(checkBills, {
      month,
      runs: [bad, good].map((customerId) => ({ customerId, runId: 'run' })),
    });
    expect(standings.map(({ state }) => state)).toEqual(['failed', 'failed']);
    for (const id of [bad, good]) {
      expect(await services.deadLetters.get(`storage-bill/${id}/${month}`)).toMatchObject({
        status: 'open',
      });
    }
  });
});

describe('SB19 writes that are refused', () => {
  const measure = async (ids: readonly string[]) => {
    for (const id of ids) await services.putFile(id, 'a', 'x');
    return await run(activities().aggregateCustomers, { day, customerIds: [...ids] });
  };
  const allOf = (ids: readonly string[]) => ({
    customers: ids.length,
    bytes: String(ids.length),
    files: ids.length,
    failed: [],
  });

  test('SB19 every row refused three times: every customer measured, nobody blamed, each put repeated alone', async () => {
    const ids = names('thrice', 40);
    const tries = new Map<string, number>();
    gate.fail(
      (request) => {
        const id = isPut(request) ? /cus_thrice\d+/.exec(request)?.[0] : undefined;
        if (id === undefined) return false;
        const tried = (tries.get(id) ?? 0) + 1;
        tries.set(id, tried);
        return tried <= 3;
      },
      400,
      throttling,
    );
    expect(await measure(ids)).toEqual(allOf(ids));
    expect([...tries.values()]).toEqual(ids.map(() => 4));
  });

  test('SB19 every other put is refused: one run, and 500 customers have their rows', async () => {
    const ids = names('half', 500);
    const [{ BUCKET: Bucket }, Key] = [services.config, customersKey(day, 'half', 0)];
    await services.s3.send(new PutObjectCommand({ Bucket, Key, Body: JSON.stringify(ids) }));
    let [seen, refused] = [0, 0];
    const isRefused = (request: string): boolean => {
      if (!isPut(request) || (seen += 1) % 2 === 0) return false;
      refused += 1;
      return true;
    };
    gate.fail(isRefused, 400, throttling);
    const tally = await run(activities().aggregateChunk, { day, runKey: 'half', chunk: 0 });
    expect(tally).toEqual({ customers: 500, bytes: '0', files: 0, failed: [] });
    expect(refused).toBeGreaterThanOrEqual(499);
    const rows = await Promise.all(ids.map(async (id) => await services.storageDaily.get(id, day)));
    expect(rows.map((row) => row?.customerId)).toEqual(ids);
  }, 180_000);

  test('SB19 only so many at a time pass and the rest is refused: one run, all rows', async () => {
    const capped = names('capped', 60);
    let [passed, second] = [0, 0];
    const isOver = (): boolean => {
      const now = Math.floor(Date.now() / 100);
      if (now !== second) [passed, second] = [0, now];
      passed += 1;
      return passed > 5;
    };
    gate.fail((request) => isPut(request) && isOver(), 400, throttling);
    expect(await measure(capped)).toEqual(allOf(capped));
  });

  test('SB19 a row that the table refuses for what it holds is its customer’s failure', async () => {
    const ids = names('refused', 5);
    const bad = ids[2] ?? '';
    gate.fail((request) => isPut(request) && request.includes(bad), 400, 'ValidationException');
    expect(await measure(ids)).toEqual({
      ...allOf(ids.slice(1)),
      failed: [{ customerId: bad, reason: 'ValidationException' }],
    });
  });
});

test('SB19 the objects of a customer whose row was mended are measured by the redrive', async () => {
  const [id = ''] = names('mended', 1);
  await services.putFile(id, 'a', 'xy');
  const order = { day, customerIds: [id] };
  expect((await run(activities().aggregateCustomers, order)).customers).toBe(1);
  expect(inputKey(id, 'a')).toBe(`service/input/${id}/a`);
  expect((await services.storageDaily.get(id, day))?.totalStorageBytes).toBe('2');
});

describe('SB21 nights on which nobody was measured', () => {
  const dayBefore = (days: number): string =>
    new Date(Date.parse(day) - days * 86_400_000).toISOString().slice(0, 10);
  const nights = async () => {
    const found: string[] = [];
    for await (const { subject, status } of services.deadLetters.list('storage-night')) {
      found.push(`${subject.day} ${status}`);
    }
    return found.toSorted();
  };

  test('SB21 are dead letters the morning after, once each; what a person closed stays closed', async () => {
    const row = (date: string) => ({
      customerId: 'cus_nights',
      date,
      totalStorageBytesInput: '5',
      totalStorageBytesOutput: '0',
      totalStorageBytes: '5',
      fileCountInput: 1,
      fileCountOutput: 0,
      totalFileCount: 1,
      billingMonth: date.slice(0, 7),
    });
    // The third night of this test is measured and billed, the fourth is the first that was ever measured.
    for (const days of [2, 4]) {
      await services.storageDaily.put(row(dayBefore(days)), `${day}T01:00:00.000Z`);
    }
    await services.storageDaily.markBilled(row(dayBefore(2)), 'storage-x', `${day}T02:00:00.000Z`);
    const { deps } = createTestDependencies(services);
    const { planDay } = createActivities(deps);
    const byHand = { day, runKey: 'nights' };
    await run(planDay, byHand);
    expect(await nights()).toEqual([]);
    const wanted = [`${dayBefore(3)} open`, `${dayBefore(1)} open`];
    for (let time = 0; time < 2; time += 1) {
      await run(planDay, { ...byHand, scheduled: true });
      expect((await nights()).filter((night) => wanted.includes(night))).toEqual(wanted);
    }
    const counted = await deps.metrics.skippedNights.get();
    expect(counted.values[0]?.value).toBe((await nights()).length);
    const closed = `storage-night/${dayBefore(3)}`;
    const reason = { status: 'discarded', reason: 'known' } as const;
    await services.deadLetters.close(closed, reason, `${day}T09:00:00.000Z`);
    await run(planDay, { ...byHand, scheduled: true });
    expect((await services.deadLetters.get(closed))?.status).toBe('discarded');
  });
});
