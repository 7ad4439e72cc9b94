import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { createActivities } from '../../activities/index.ts';
import { customersKey, inputKey, outputKey } from '../../domain/files.ts';
import { createDynamoDb } from '../../platform/dynamodb.ts';
import { createS3 } from '../../platform/s3.ts';
import { parseConfig } from '../../platform/config.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import { openTables } from '../../tables/open.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startGate } from '../support/gate.ts';
import type { Gate } from '../support/gate.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

/** Their rows are two years old in 2028: the days are today's. */
const day = new Date().toISOString().slice(0, 10);
let services: Services;
let gate: Gate;
let tables: Gate;
let s3: S3Client;
beforeAll(async () => {
  services = await startServices();
  gate = await startGate(services.env['S3_ENDPOINT'] ?? '');
  tables = await startGate(services.env['DYNAMODB_ENDPOINT'] ?? '');
  s3 = createS3(parseConfig({ ...services.env, S3_ENDPOINT: gate.url }));
});
afterAll(async () => {
  s3.destroy();
  await gate.stop();
  await tables.stop();
  await services.stop();
});
beforeEach(() => {
  gate.open();
  tables.open();
});

const quiet = new DefaultLogger('ERROR');
const mock = (info: Partial<Info> = {}) => new MockActivityEnvironment(info, { logger: quiet });
function activities(changes: Partial<Dependencies> = {}) {
  return createActivities(createTestDependencies(services, { s3, ...changes }).deps);
}

type Activity<Order, Result> = (order: Order) => Promise<Result>;
async function run<Order, Result>(
  activity: Activity<Order, Result>,
  order: Order,
  environment = mock(),
): Promise<Result> {
  return await environment.run<[Order], Result, Activity<Order, Result>>(activity, order);
}

/** Straight into the folder that versitygw serves: quicker for many. */
async function put(key: string, bytes: number): Promise<void> {
  const file = path.join(services.dataDir, 's3', services.config.BUCKET, key);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, Buffer.alloc(bytes));
}

async function writePlan(runKey: string, chunk: number, ids: readonly string[]): Promise<void> {
  const file = customersKey(day, runKey, chunk);
  const target = path.join(services.dataDir, 's3', services.config.BUCKET, file);
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, JSON.stringify(ids));
}

async function keysOf(prefix: string): Promise<string[]> {
  const command = new ListObjectsV2Command({ Bucket: services.config.BUCKET, Prefix: prefix });
  return ((await services.s3.send(command)).Contents ?? []).map(({ Key }) => Key ?? '');
}

const isList = (request: string): boolean => request.includes('list-type=2');
/** A listing that goes on in the middle of this prefix, whichever way of listing it is. */
const laterPageOf = (prefix: string) => (request: string) =>
  isList(request) && request.includes(`start-after=${encodeURIComponent(prefix)}`);
const bytesOf = async (id: string) => (await services.storageDaily.get(id, day))?.totalStorageBytes;

describe('SB5 a customer whose listing fails', () => {
  const ids = ['cus_f1', 'cus_f2', 'cus_f3'];
  beforeAll(async () => {
    for (const id of ids) await put(inputKey(id, 'a'), 10);
    await put(outputKey('cus_f3', 'job', 'b'), 7);
    for (let file = 0; file < 1500; file += 1) await put(inputKey('cus_f2', `many/${file}`), 1);
  });

  test('fails on page 2: no row for it, rows for the others, and its name with the reason', async () => {
    await writePlan('page2', 0, ids);
    gate.fail(laterPageOf('service/input/cus_f2/'), 503);
    const order = { day, runKey: 'page2', chunk: 0 };
    const tally = await run(activities().aggregateChunk, order);
    expect(tally).toMatchObject({ customers: 2, bytes: '27', files: 3 });
    expect(tally.failed.map(({ customerId }) => customerId)).toEqual(['cus_f2']);
    expect(tally.failed[0]?.reason).not.toBe('');
    expect(await Promise.all(ids.map(bytesOf))).toEqual(['10', undefined, '17']);
  });

  test('tried again by itself while it fails, and when it has recovered', async () => {
    const order = { day, customerIds: ['cus_f2'] };
    gate.fail(laterPageOf('service/input/cus_f2/'));
    const failing = await run(activities().aggregateCustomers, order);
    expect(failing).toMatchObject({ customers: 0, bytes: '0', files: 0 });
    expect(failing.failed.map(({ customerId }) => customerId)).toEqual(['cus_f2']);
    expect(await bytesOf('cus_f2')).toBeUndefined();
    gate.open();
    expect(await run(activities().aggregateCustomers, order)).toEqual({
      customers: 1,
      bytes: '1510',
      files: 1501,
      failed: [],
    });
    expect(await bytesOf('cus_f2')).toBe('1510');
  });

  test('laid aside: a dead letter with customer, day and reason; twice is once', async () => {
    const failed = [{ customerId: 'cus_f2', reason: 'Access Denied' }];
    for (let time = 0; time < 2; time += 1) {
      await run(activities().layAsideDay, { day, failed });
    }
    expect(await services.deadLetters.get(`storage-day/cus_f2/${day}`)).toMatchObject({
      kind: 'storage-day',
      customerId: 'cus_f2',
      error: 'Access Denied',
      status: 'open',
      record: { day },
    });
  });

  test('the bucket is down: the activity throws, nobody is to blame and nothing is written', async () => {
    await writePlan('down', 0, ['cus_d1', 'cus_d2']);
    const plan = encodeURI(customersKey(day, 'down', 0));
    gate.fail((request) => !request.includes(plan));
    const running = run(activities().aggregateChunk, { day, runKey: 'down', chunk: 0 });
    await expect(running).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    const alone = { day, customerIds: ['cus_d1', 'cus_d2'] };
    await expect(run(activities().aggregateCustomers, alone)).rejects.toMatchObject({
      $metadata: { httpStatusCode: 500 },
    });
    expect(await Promise.all(['cus_d1', 'cus_d2'].map(bytesOf))).toEqual([undefined, undefined]);
  });

  test('the table is down: the activity throws, no customer is to blame', async () => {
    const client = createDynamoDb(parseConfig({ ...services.env, DYNAMODB_ENDPOINT: tables.url }));
    const { storageDaily } = openTables(createTableStore(client, services.config.TABLE_PREFIX));
    tables.fail((request) => request.includes('PutItem'));
    const { aggregateCustomers, aggregateChunk } = activities({ storageDaily });
    const outage = { $metadata: { httpStatusCode: 500 } };
    await expect(run(aggregateCustomers, { day, customerIds: ['cus_f1'] })).rejects.toMatchObject(
      outage,
    );
    await writePlan('tables', 0, ids);
    gate.fail(laterPageOf('service/input/cus_f2/'));
    await expect(run(aggregateChunk, { day, runKey: 'tables', chunk: 0 })).rejects.toMatchObject(
      outage,
    );
    client.destroy();
  });
});

describe('SB6 bounds and progress', () => {
  const ids = Array.from({ length: 250 }, (_, index) => `cus_w${1000 + index}`);

  test.each([1, 3, 10])('at most %i listings at once, all customers measured', async (atOnce) => {
    for (const id of ids) await put(inputKey(id, 'a'), 2);
    await writePlan(`atonce${atOnce}`, 0, ids);
    const lists = gate.watch(isList);
    const { aggregateChunk, aggregateCustomers } = activities({ listingsAtOnce: atOnce });
    const order = { day, runKey: `atonce${atOnce}`, chunk: 0 };
    const expected = { customers: 250, bytes: '500', files: 250, failed: [] };
    expect(await run(aggregateChunk, order)).toEqual(expected);
    // Three walks of a hundred customers over two roots, a page each.
    expect(lists.requests).toHaveLength(6);
    expect(lists.mostAtOnce).toBeLessThanOrEqual(atOnce);
    const each = gate.watch(isList);
    gate.gather(isList, atOnce);
    const all = { day, customerIds: ids };
    expect(await run(aggregateCustomers, all)).toEqual(expected);
    expect(each.requests).toHaveLength(500);
    expect(each.mostAtOnce).toBe(atOnce);
  });

  test('the successor of a killed worker lists no finished walk again and adds up the whole', async () => {
    const names = ids.map((id) => id.replace('cus_w', 'cus_r'));
    for (const id of names) await put(inputKey(id, 'a'), 2);
    await writePlan('resume', 0, names);
    const lists = gate.watch(isList);
    const tally = {
      customers: 149,
      bytes: '7',
      files: 5,
      failed: [{ customerId: 'cus_x', reason: 'y' }],
    };
    const environment = mock({ attempt: 2, heartbeatDetails: { done: [0, 2], tally } });
    const order = { day, runKey: 'resume', chunk: 0 };
    expect(await run(activities().aggregateChunk, order, environment)).toEqual({
      customers: 249,
      bytes: '207',
      files: 105,
      failed: tally.failed,
    });
    expect(lists.requests).toHaveLength(2);
    const rows = await Promise.all(names.map(bytesOf));
    expect(rows.map((bytes) => bytes === '2')).toEqual(
      names.map((_, index) => index >= 100 && index < 200),
    );
  });

  test('what a failing chunk has done is in its last heartbeat', async () => {
    const names = ids.map((id) => id.replace('cus_w', 'cus_h'));
    await writePlan('beat', 0, names);
    // The third walk finds the bucket gone: its own listing fails, and so does asking for the bucket.
    gate.fail((request) => isList(request) && request.includes('cus_h1200.'));
    gate.fail((request) => request.startsWith('HEAD'));
    const environment = mock();
    const beats: unknown[] = [];
    environment.on('heartbeat', (details) => beats.push(structuredClone(details)));
    const { aggregateChunk } = activities({ listingsAtOnce: 1 });
    const order = { day, runKey: 'beat', chunk: 0 };
    await expect(run(aggregateChunk, order, environment)).rejects.toMatchObject({
      name: 'Unknown',
    });
    expect(beats.at(-1)).toMatchObject({ done: [0, 1], tally: { customers: 200 } });
    gate.open();
    const lists = gate.watch(isList);
    const successor = mock({ attempt: 2, heartbeatDetails: beats.at(-1) });
    expect(await run(activities().aggregateChunk, order, successor)).toMatchObject({
      customers: 250,
    });
    expect(lists.requests).toHaveLength(2);
  });
});

describe('SB2 every customer', () => {
  test('2,100 customers: three chunks that hold each once, in order; all have rows; then forgotten', async () => {
    const ids = Array.from({ length: 2100 }, (_, index) => `cus_${index}`);
    for (let start = 0; start < ids.length; start += 50) {
      await Promise.all(
        ids.slice(start, start + 50).map(async (customerId) => {
          const createdAt = '2026-01-01T00:00:00.000Z';
          await services.customers.add({
            customerId,
            plan: 'free',
            billingStatus: 'none',
            createdAt,
          });
        }),
      );
    }
    await put(inputKey('cus_1', 'a'), 1);
    await put(inputKey('cus_10', 'a'), 10);
    await put(inputKey('cus_1000', 'a'), 1000);
    const { planDay, aggregateChunk, forgetPlan } = activities();
    const order = { day, runKey: 'all' };
    expect(await run(planDay, order)).toEqual({ chunks: 3, customers: 2100, failed: 0 });
    const tallies = [];
    for (let chunk = 0; chunk < 3; chunk += 1) {
      tallies.push(await run(aggregateChunk, { ...order, chunk }));
    }
    expect(tallies.map(({ customers, failed }) => [customers, failed])).toEqual([
      [1000, []],
      [1000, []],
      [100, []],
    ]);
    expect(tallies.reduce((sum, { bytes }) => sum + BigInt(bytes), 0n)).toBe(1011n);
    const rows = new Map<string, string>();
    for (let start = 0; start < ids.length; start += 50) {
      const part = ids.slice(start, start + 50);
      const bytes = await Promise.all(part.map(bytesOf));
      for (const [index, id] of part.entries()) rows.set(id, bytes[index] ?? 'none');
    }
    const stored = new Map([
      ['cus_1', '1'],
      ['cus_10', '10'],
      ['cus_1000', '1000'],
    ]);
    expect(rows).toEqual(new Map(ids.map((id) => [id, stored.get(id) ?? '0'])));
    const plan = `durabill/aggregate-storage/${day}/all/`;
    expect(await keysOf(plan)).toHaveLength(3);
    for (let time = 0; time < 2; time += 1) await run(forgetPlan, { ...order, chunks: 3 });
    expect(await keysOf(plan)).toEqual([]);
  });
});
