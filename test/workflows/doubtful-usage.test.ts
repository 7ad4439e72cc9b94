/**
 * What may be at Stripe, on a real Temporal server with real workers, tables and Stripe over HTTP. Workers and
 * Stripe go by the tests' own clock; Temporal by the real one, so that a sweep brings what is due by ours.
 */
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { deliveryShard } from '../../domain/ids.ts';
import type { Usage, UsageRecord } from '../../domain/usage.ts';
import { createDynamoDb } from '../../platform/dynamodb.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import { growLife } from '../tables/ledger-support.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startTestTemporal } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const path = '/v1/billing/meter_events';
const meter = 'file_processed';
const startMs = Date.parse('2026-11-02T10:00:00.000Z');
const patience = { timeout: 300_000, interval: 100 };
let services: Services;
let temporal: BareTemporal;
let nowMs = startMs;

beforeAll(async () => {
  services = await startServices();
  temporal = await startTestTemporal(services, { now: () => new Date(nowMs) });
});
afterAll(async () => {
  await temporal.stop();
  await services.stop();
});
beforeEach(async () => {
  await services.control.clearFaults();
  await services.control.configure({ summaryLagMs: minuteMs });
  await setTime(0);
});

const at = (ms: number): string => new Date(startMs + ms).toISOString();

async function setTime(ms: number): Promise<void> {
  nowMs = startMs + ms;
  await services.control.setClock(nowMs);
}

/** Usage of the tests' first minute, in the ledger; nobody is told of it. */
async function record(customerId: string, name: string, quantity = '1024'): Promise<Usage> {
  const identifier = `${customerId}-${name}`;
  await services.control.createCustomer({ id: customerId });
  const source = { kind: 'processing' as const, id: identifier };
  const usage: Usage = { identifier, customerId, meter, quantity, occurredAt: at(0), source };
  await services.ledger.record(usage, new Date(nowMs).toISOString());
  return usage;
}

const rowOf = async ({ identifier }: Usage): Promise<UsageRecord> => {
  const row = await services.ledger.get(identifier);
  if (row === undefined) throw new Error(`no record ${identifier}`);
  return row;
};
const rowsOf = async (all: readonly Usage[]) => await Promise.all(all.map(rowOf));
const statesOf = async (all: readonly Usage[]) => (await rowsOf(all)).map(({ state }) => state);
const sweep = async ({ customerId }: Usage): Promise<void> => {
  await temporal.engine.requestSweep(deliveryShard(customerId, meter));
};
const untilDelivered = async (all: readonly Usage[]): Promise<void> => {
  const delivered = all.map(() => 'delivered');
  await expect.poll(async () => await statesOf(all), patience).toEqual(delivered);
};
/** What Stripe has of a customer: each event's identifier, and their sum. */
const atStripe = async ({ customerId }: Usage) => ({
  events: (await services.control.events({ customer: customerId }))
    .map(({ identifier }) => identifier)
    .toSorted(),
  total: await services.control.total(customerId, meter),
});
async function lettersOf({ customerId }: Usage): Promise<string[]> {
  const ids: string[] = [];
  for await (const letter of services.deadLetters.list(undefined)) {
    if (letter.customerId === customerId) ids.push(letter.id);
  }
  return ids;
}

/** Rounds that fail, until a workflow waits longer for the next by itself than any test takes. */
async function failRounds(all: readonly [Usage, ...Usage[]], kind: 'fail_before' | 'fail_after') {
  for (const { identifier } of all) {
    const where = { identifier };
    if (kind === 'fail_after') await services.control.fault({ kind, path, where });
    await services.control.fault({ kind: 'fail_before', path, where, times: null });
  }
  for (let round = 1; round <= 5; round += 1) {
    await sweep(all[0]);
    const isOver = async () => (await rowsOf(all)).every(({ rounds }) => rounds >= round);
    await expect.poll(isOver, patience).toBe(true);
    await setTime(2 ** round * minuteMs);
  }
}

const putOff = 'Stripe’s sums do not tell yet whether it arrived: asked again at ';
const waitsUntil = async (all: readonly Usage[], ms: number): Promise<void> => {
  const newest = async () => (await rowsOf(all)).map(({ life }) => life.at(-1)?.what);
  await expect.poll(newest, patience).toEqual(all.map(() => `${putOff}${at(ms)}`));
};

test('DL14 unconfirmed for a day, a twin delivered now, sums that lag: two events for two records', async () => {
  const old = await record('cus_twins', 'old');
  await failRounds([old], 'fail_after');
  const now = dayMs + hourMs;
  await setTime(now);
  await services.control.clearFaults();
  const twin = await record('cus_twins', 'twin');
  await temporal.engine.announceUsage(twin);
  await untilDelivered([twin]);
  await sweep(old);
  await waitsUntil([old], now + hourMs);
  await setTime(now + hourMs);
  await sweep(old);
  await untilDelivered([old]);
  const events = [old.identifier, twin.identifier];
  expect(await atStripe(old)).toEqual({ events, total: '2048' });
  expect((await rowOf(old)).life.at(-1)?.what).toBe('delivered: in Stripe’s own sums');
  expect(await lettersOf(old)).toEqual([]);
});

test('DL14 a backlog recovers while no sum is visible: none of it is parked, each is sent once', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;
  const first = await record('cus_backlog', 'a', '1');
  const others = [];
  for (const name of names.slice(1)) others.push(await record('cus_backlog', name, '10'));
  const backlog = [first, ...others] as const;
  await failRounds(backlog, 'fail_before');
  const now = dayMs + hourMs;
  await setTime(now);
  await services.control.clearFaults();
  await services.control.configure({ summaryLagMs: 90 * minuteMs });
  const fresh = await record('cus_backlog', 'z', '100');
  await temporal.engine.announceUsage(fresh);
  await untilDelivered([fresh]);
  await sweep(first);
  await waitsUntil(backlog, now + hourMs);
  await setTime(now + hourMs);
  await sweep(first);
  await waitsUntil(backlog, now + 2 * hourMs);
  await setTime(now + 2 * hourMs);
  await sweep(first);
  await untilDelivered(backlog);
  const events = [...backlog, fresh].map(({ identifier }) => identifier);
  expect(await atStripe(first)).toEqual({ events, total: '171' });
  expect(await lettersOf(first)).toEqual([]);
});

test('DL12 case 20: a record of 1,483 lines is delivered once, and holds up none of its customer', async () => {
  const grown = await record('cus_grown', 'a-grown');
  const others = [];
  for (const name of ['b', 'c', 'd', 'e', 'f']) others.push(await record('cus_grown', name));
  const client = createDynamoDb(services.config);
  await growLife(createTableStore(client, services.config.TABLE_PREFIX), grown.identifier, 1483);
  client.destroy();
  const where = { identifier: grown.identifier };
  await services.control.fault({ kind: 'status', status: 503, path, where });
  await sweep(grown);
  await untilDelivered(others);
  const rounds = async () => (await rowOf(grown)).rounds;
  await expect.poll(rounds, patience).toBe(1);
  await setTime(minuteMs);
  await sweep(grown);
  await untilDelivered([grown]);
  const events = [grown, ...others].map(({ identifier }) => identifier);
  expect(await atStripe(grown)).toEqual({ events, total: '6144' });
  expect((await rowOf(grown)).life).toHaveLength(50);
});

test('SB19 DL12 a row of the ledger that is none is one dead letter; its shard delivers all others', async () => {
  const poison = await record('cus_poison', 'a');
  const others = [await record('cus_poison', 'b'), await record('cus_poison', 'c')];
  const client = createDynamoDb(services.config);
  const store = createTableStore(client, services.config.TABLE_PREFIX);
  await store.db.send(
    new UpdateCommand({
      TableName: `${store.prefix}usage-ledger`,
      Key: { identifier: poison.identifier },
      UpdateExpression: 'SET meter = :none',
      ExpressionAttributeValues: { ':none': 'bytes' },
    }),
  );
  client.destroy();
  await sweep(poison);
  await untilDelivered(others);
  expect(await lettersOf(poison)).toEqual([`usage-rejected/${poison.identifier}`]);
  const events = others.map(({ identifier }) => identifier);
  expect(await atStripe(poison)).toEqual({ events, total: '2048' });
});

test('DL16 a customer whose calls hang holds up nobody else of its shard', async () => {
  const slow = await record('cus_slow', 'a');
  const shard = deliveryShard(slow.customerId, meter);
  const [also = '', ...neighbours] = Array.from({ length: 100 }, (_, n) => `cus_beside${n}`)
    .filter((customerId) => deliveryShard(customerId, meter) === shard)
    .slice(0, 4);
  const hanging = [slow, await record(also, 'a')];
  for (const { customerId } of hanging) {
    const where = { 'payload[stripe_customer_id]': customerId };
    await services.control.fault({ kind: 'hang_before', path, where, times: null });
  }
  await sweep(slow);
  // Both at once: one whose calls had to end first would keep this from ever coming.
  await services.control.waitForHanging(2);
  const others = [];
  for (const id of neighbours) others.push(await record(id, 'a'), await record(id, 'b'));
  await sweep(slow);
  await untilDelivered(others);
  expect(await statesOf(hanging)).not.toContain('delivered');
  await services.control.clearFaults();
  await services.control.releaseHanging();
  await setTime(hourMs);
  await sweep(slow);
  await untilDelivered(hanging);
  expect(await atStripe(slow)).toEqual({ events: [slow.identifier], total: '1024' });
});
