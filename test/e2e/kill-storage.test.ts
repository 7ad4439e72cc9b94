/**
 * The worker is killed (SIGKILL) while it lists, and at every point of a month's bill: around Stripe,
 * and around every write. The next worker ends each bill with exactly one meter event (I1 I2 I3).
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorker } from '../../dev/stack/worker.ts';
import { workflowIds } from '../../domain/ids.ts';
import { daysOf } from '../../domain/period.ts';
import { snapshotOf } from '../../domain/storage.ts';
import { createEngine } from '../../engine/engine.ts';
import { createDynamoDb } from '../../platform/dynamodb.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import { openTables } from '../../tables/open.ts';
import { startGate } from '../support/gate.ts';
import type { Gate } from '../support/gate.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startAs } from '../support/start.ts';
import { startBareTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';

const today = Date.parse('2026-03-01T02:30:00.000Z');
const offsetSeconds = Math.round((today - Date.now()) / 1000);
const month = '2026-02';
const billPath = '/v1/billing/meter_events';

let services: Services;
let temporal: BareTemporal;
let tables: Gate;
let objects: Gate;
beforeAll(async () => {
  services = await startServices();
  temporal = await startBareTemporal(services);
  tables = await startGate(services.env['DYNAMODB_ENDPOINT'] ?? '');
  objects = await startGate(services.env['S3_ENDPOINT'] ?? '');
  await services.control.setClock(new Date(today).toISOString(), { ticking: true });
});
afterAll(async () => {
  await objects.stop();
  await tables.stop();
  await temporal.stop();
  await services.stop();
});

async function spawnWorker() {
  return await startWorker({
    dataDir: services.dataDir,
    env: {
      ...services.env,
      DYNAMODB_ENDPOINT: tables.url,
      S3_ENDPOINT: objects.url,
      TEMPORAL_ADDRESS: temporal.server.address,
      TASK_QUEUE: taskQueue,
      CLOCK_OFFSET_SECONDS: String(offsetSeconds),
    },
  });
}

async function addCustomer(customerId: string): Promise<void> {
  await services.control.createCustomer({ id: customerId });
  const createdAt = '2026-01-15T00:00:00.000Z';
  await services.customers.add({ customerId, plan: 'free', billingStatus: 'none', createdAt });
}

async function resultOf(workflowId: string): Promise<unknown> {
  return await temporal.client.workflow.getHandle(workflowId).result();
}

const listed = ['cus_list1', 'cus_list10', 'cus_list2'];
const listedDay = '2026-03-01';

/** A day whose listing is held when its second root is listed. */
async function startListing(): Promise<string> {
  for (const [index, customerId] of listed.entries()) {
    await addCustomer(customerId);
    await services.putFile(customerId, 'a.bin', Buffer.alloc(100 * (index + 1)));
  }
  objects.hold({
    matches: (request) => request.includes('list-type=2') && request.includes('service%2Foutput'),
    when: 'after',
  });
  return await createEngine(temporal.client, { taskQueue }).startDay({ day: listedDay });
}

/** A table request of the worker: its operation, its table, and words that only this step writes. */
const tableStep =
  (operation: string, table: string, ...words: string[]) =>
  (customerId: string) => {
    const wanted = [`DynamoDB_20120810.${operation}`, table, ...words];
    return {
      matches: (request: string) =>
        wanted.every((word) => request.includes(word)) &&
        (request.includes(`"${customerId}"`) || request.includes(`"storage-${customerId}-`)),
    };
  };
const tableSteps = {
  'the bill is begun': tableStep('PutItem', 'storage-usage-monthly', '"pending"'),
  'the usage is recorded': tableStep('PutItem', 'usage-ledger', 'recorded'),
  'the record is claimed': tableStep('UpdateItem', 'usage-ledger', '"sending"'),
  'the delivery is recorded': tableStep('UpdateItem', 'usage-ledger', '"delivered"'),
  'the 14th day is marked': tableStep('UpdateItem', 'storage-usage-daily', '2026-02-14'),
  'the last day is marked': tableStep('UpdateItem', 'storage-usage-daily', '2026-02-28'),
  'the bill is closed': tableStep('PutItem', 'storage-usage-monthly', '"success"'),
};
const stripeSteps = {
  'Stripe is called': 'hang_before',
  'Stripe applied it': 'hang_after',
} as const;

const customerOf = (name: string): string => `cus_${name.replaceAll(' ', '_')}`;

/** 28 days that a number cannot sum, and another average for each customer. */
async function storeMonth(customerId: string, index: number): Promise<void> {
  const client = createDynamoDb(services.config);
  const { storageDaily } = openTables(
    createTableStore(client, services.config.TABLE_PREFIX, () => new Date(today)),
  );
  for (const [day, date] of daysOf(month).entries()) {
    const input = { bytes: 10n ** 14n + BigInt(day + index * 1000), files: 1 };
    const snapshot = snapshotOf(customerId, date, input, { bytes: 0n, files: 0 });
    await storageDaily.put(snapshot, `${date}T01:00:00.000Z`);
  }
  client.destroy();
}
/** The sum of 0 to 27 is 378, over 28 days 13.5: rounded half up. */
const averageOf = (index: number): string => String(10n ** 14n + 14n + BigInt(index * 1000));

async function startBills(customers: string[]): Promise<string> {
  const add = async (name: string): Promise<string> => {
    const customerId = customerOf(name);
    await addCustomer(customerId);
    await storeMonth(customerId, customers.length);
    customers.push(customerId);
    return customerId;
  };
  for (const [name, step] of Object.entries(tableSteps)) {
    for (const when of ['before', 'after'] as const) {
      tables.hold({ ...step(await add(`${when} ${name}`)), when });
    }
  }
  for (const [name, kind] of Object.entries(stripeSteps)) {
    const identifier = `storage-${await add(name)}-${month}`;
    await services.control.fault({ kind, path: billPath, where: { identifier } });
  }
  const workflowId = workflowIds.billStorage(month);
  await startAs(temporal.client, { taskQueue, workflowId }, 'billStorage', { month, window: 50 });
  return workflowId;
}

test('SB5 SB6 SB13 SB15 SIGKILL while it lists and at every point of a bill', async () => {
  const first = await spawnWorker();
  const customers: string[] = [];
  const bills = await startBills(customers);
  const listing = await startListing();
  await tables.waitForHeld(Object.keys(tableSteps).length * 2);
  await services.control.waitForHanging(Object.keys(stripeSteps).length);
  await objects.waitForHeld(1);
  expect(await services.storageDaily.get('cus_list1', listedDay)).toBeUndefined();
  process.kill(first.pid, 'SIGKILL');
  await first.exited;
  tables.open();
  objects.open();
  await services.control.clearFaults();
  await services.control.releaseHanging();

  const second = await spawnWorker();
  const bytes = customers.reduce((sum, _, index) => sum + BigInt(averageOf(index)), 0n);
  const all = customers.length;
  expect(await resultOf(bills)).toMatchObject({
    month,
    billed: all,
    failed: 0,
    skipped: 0,
    bytes: String(bytes),
  });
  const again = await createEngine(temporal.client, { taskQueue }).startMonth({ month });
  expect(await resultOf(again)).toMatchObject({ billed: 0, failed: 0, skipped: all });
  const measured = { customers: all + listed.length, bytes: '600', failed: 0 };
  expect(await resultOf(listing)).toMatchObject(measured);
  await second.stop();
  for (const [index, customerId] of customers.entries()) await checkBill(customerId, index);
  for (const [index, customerId] of listed.entries()) {
    expect(await services.storageDaily.get(customerId, listedDay)).toMatchObject({
      totalStorageBytes: String(100 * (index + 1)),
      totalFileCount: 1,
      billingStatus: 'pending',
    });
    const letter = await services.deadLetters.get(`storage-day/${customerId}/${listedDay}`);
    expect(letter).toBeUndefined();
  }
});

/** I1 I2 I3: one event, the sum of the source in the ledger and at Stripe, every day marked. */
async function checkBill(customerId: string, index: number): Promise<void> {
  const identifier = `storage-${customerId}-${month}`;
  const events = await services.control.events({ customer: customerId });
  expect(events.map((event) => [event.identifier, event.value, event.timestamp])).toEqual([
    [identifier, averageOf(index), Date.parse('2026-02-28T23:59:59Z') / 1000],
  ]);
  expect(await services.ledger.get(identifier)).toMatchObject({
    state: 'delivered',
    quantity: averageOf(index),
  });
  const days = await services.storageDaily.ofMonth(customerId, month);
  expect(days.map((row) => [row.date, row.billingStatus, row.billedAs])).toEqual(
    daysOf(month).map((date) => [date, 'billed', identifier]),
  );
  expect(await services.storageMonthly.get(customerId, month)).toMatchObject({
    dailyUsageSum: String(28n * (10n ** 14n + BigInt(index * 1000)) + 378n),
    averageStorageBytes: averageOf(index),
    billingStatus: 'billed',
    stripeMeterStatus: 'success',
  });
  expect(await services.deadLetters.get(`storage-bill/${customerId}/${month}`)).toBeUndefined();
}
