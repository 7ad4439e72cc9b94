/** Storage by the command line, on the 1st of March 2026, with a real worker. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorker } from '../../dev/stack/worker.ts';
import type { RunningServer } from '../../dev/stack/types.ts';
import { deadLetterId } from '../../domain/ids.ts';
import { daysOf } from '../../domain/period.ts';
import { snapshotOf } from '../../domain/storage.ts';
import { createDynamoDb } from '../../platform/dynamodb.ts';
import { parseConfig } from '../../platform/config.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import { openTables } from '../../tables/open.ts';
import { tableSchemas } from '../../tables/schema.ts';
import { durabill, startServers } from './support.ts';
import type { Servers } from './support.ts';
import { newLetter } from '../support/dead-letters.ts';

const today = '2026-03-01T02:30:00.000Z';
const month = '2026-02';
const gigabyte = 1_073_741_824;
/** Stripe knows the first two only. */
const customers = ['cus_Aurora', 'cus_Borealis', 'cus_Gone'];

let servers: Servers;
let worker: RunningServer | undefined;
let tables: ReturnType<typeof connect>;
let env: Record<string, string>;

function connect() {
  const store = createTableStore(
    createDynamoDb(parseConfig(env)),
    'siftbeam-',
    () => new Date(today),
  );
  return { store, ...openTables(store) };
}

beforeAll(async () => {
  servers = await startServers();
  const offset = Math.round((Date.parse(today) - Date.now()) / 1000);
  env = { ...servers.env, CLOCK_OFFSET_SECONDS: String(offset) };
  for (const command of [['setup'], ['schedules', 'apply']]) {
    const { code, stderr } = await durabill(command, env);
    if (code !== 0) throw new Error(stderr);
  }
  await servers.control.setClock(today, { ticking: true });
  tables = connect();
  for (const [index, customerId] of customers.entries()) {
    if (customerId !== 'cus_Gone') await servers.control.createCustomer({ id: customerId });
    const createdAt = '2026-01-01T00:00:00.000Z';
    await tables.customers.add({ customerId, plan: 'free', billingStatus: 'none', createdAt });
    const folder = path.join(servers.dataDir, 's3/siftbeam/service/input', customerId);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'a.bin'), Buffer.alloc(1000 * (index + 1)));
  }
  worker = await startWorker({ dataDir: servers.dataDir, env });
});
afterAll(async () => {
  await worker?.stop();
  await servers.stop();
});

async function run(...args: string[]) {
  const { code, stdout, stderr } = await durabill([...args, '--json'], env);
  return { code, stderr, json: JSON.parse(stdout) as unknown };
}

/** Every row of every table. */
async function everything(): Promise<string[]> {
  const rows: string[] = [];
  for (const { name } of Object.values(tableSchemas)) {
    const { Items } = await tables.store.db.send(
      new ScanCommand({ TableName: `siftbeam-${name}`, ConsistentRead: true }),
    );
    // An item's attributes come in any order.
    const sorted = (Items ?? []).map((item) =>
      Object.entries(item).toSorted(([one], [other]) => one.localeCompare(other)),
    );
    rows.push(...sorted.map((facts) => `${name} ${JSON.stringify(facts)}`));
  }
  return rows.toSorted();
}

async function write(customerId: string, date: string, bytes: number): Promise<void> {
  const input = { bytes: BigInt(bytes), files: 1 };
  const output = { bytes: 0n, files: 0 };
  await tables.storageDaily.put(snapshotOf(customerId, date, input, output), today);
}

test('SB1 aggregate measures a day, shows its progress and ends with a table', async () => {
  const { code, stdout, stderr } = await durabill(
    ['storage', 'aggregate', '--day', '2026-02-01', '--wait'],
    env,
  );
  expect({ code, stderr: stderr.includes('error') }).toEqual({ code: 0, stderr: false });
  expect(stdout).toMatch(/2026-02-01 +3 +3 +6,000 +5\.8 KB +0 /);
  const shown = await run('storage', 'show', 'cus_Borealis', '--month', month);
  expect(shown).toMatchObject({
    code: 0,
    json: {
      days: [{ date: '2026-02-01', totalStorageBytes: '2000', totalFileCount: 1 }],
      bill: null,
    },
  });
});

test('aggregate takes today by the stack’s clock, and refuses a day to come', async () => {
  expect(await run('storage', 'aggregate', '--wait')).toMatchObject({
    code: 0,
    json: { day: '2026-03-01', customers: 3, failed: 0, bytes: '6000' },
  });
  const people = await durabill(['storage', 'show', 'cus_Aurora'], env);
  expect(people.stdout).toMatch(/2026-03-01 +1,000 +0 +1,000 +1,000 bytes +1 +pending/);
  const refused = await run('storage', 'aggregate', '--day', '2026-03-02');
  expect(refused).toMatchObject({ code: 1, json: { error: 'invalid_request' } });
  expect(refused.stderr).toContain('has not come yet');
});

test('SB1 backfill --wait ends when every run of the days has, once more as well', async () => {
  const days = ['--from', '2026-02-02', '--to', '2026-02-04'];
  for (const _round of ['first', 'again']) {
    const { code, json } = await run('schedules', 'backfill', 'daily-storage', ...days, '--wait');
    expect(code).toBe(0);
    const { runs } = json as { runs: { nominalTime: string; status: string; failed: number }[] };
    expect(runs.map(({ nominalTime, status, failed }) => [nominalTime, status, failed])).toEqual(
      ['02', '03', '04'].map((day) => [`2026-02-${day}T01:00:00.000Z`, 'completed', 0]),
    );
  }
  for (const customerId of customers) {
    const rows = await tables.storageDaily.ofMonth(customerId, month);
    expect(rows.map(({ date }) => date)).toEqual(daysOf(month).slice(0, 4));
  }
});

test('backfill refuses days to come, and days without a run', async () => {
  const ahead = ['--from', '2026-02-02', '--to', '2026-03-02'];
  const refused = await run('schedules', 'backfill', 'daily-storage', ...ahead);
  expect(refused).toMatchObject({ code: 1, json: { error: 'invalid_request' } });
  const none = ['--from', '2026-02-02', '--to', '2026-02-20'];
  const empty = await run('schedules', 'backfill', 'monthly-storage', ...none);
  expect(empty).toMatchObject({ code: 1, json: { error: 'invalid_request' } });
  expect(empty.stderr).toContain('has no run from');
});

test.each([
  ['2026-03', 'is not over yet'],
  ['2025-12', 'cannot be billed any more'],
])('SB18 bill month %s is refused with the reason, dry or not', async (refused, reason) => {
  const before = await everything();
  const dry = await run('bill', 'month', '--month', refused, '--dry-run');
  const real = await run('bill', 'month', '--month', refused, '--wait');
  expect(dry).toMatchObject({ code: 1, json: { error: 'invalid_request' } });
  expect(dry.stderr).toContain(reason);
  expect(real).toEqual(dry);
  expect(await everything()).toEqual(before);
});

test('a dry run has the figures and the price, and touches nothing', async () => {
  // 3.5 GB in the middle of the month: an average of (4 × 1,000 + 3.5 GB) / 5 days, rounded half up.
  await write('cus_Aurora', '2026-02-15', 3.5 * gigabyte);
  const before = { rows: await everything(), requests: await servers.control.requests() };
  const { code, json } = await run('bill', 'month', '--month', month, '--dry-run');
  expect(code).toBe(0);
  const average = String(Math.round((4000 + 3.5 * gigabyte) / 5));
  const { customers: plan, totals } = json as { customers: object[]; totals: object };
  expect(plan).toHaveLength(3);
  expect(plan[0]).toMatchObject({
    customerId: 'cus_Aurora',
    action: 'bill',
    days: 5,
    averageStorageBytes: average,
    peakStorageBytes: String(3.5 * gigabyte),
    bytesToSend: average,
    priceCents: '10',
  });
  expect((plan[0] as { missingDays: string[] }).missingDays).toHaveLength(23);
  expect(totals).toMatchObject({ bill: 3, skip: 0, withMissingDays: 3, priceCents: '30' });
  const people = await durabill(['bill', 'month', '--month', month, '--dry-run'], env);
  expect(people.stdout).toMatch(/cus_Borealis +bill +4 +2,000 +2,000 +2,000 +\$0\.10 +2026-02-05/);
  expect(people.stdout).toContain('and 21 more');
  expect(people.stdout).toContain('nothing was written or sent');
  expect({ rows: await everything(), requests: await servers.control.requests() }).toEqual(before);
});

test('SB14 SB17 bill month --wait bills all but one, names it with its notes, exits 1', async () => {
  const billed = await durabill(['bill', 'month', '--month', month, '--wait'], env);
  expect(billed.code).toBe(1);
  expect(billed.stdout).toMatch(/billed +2\n/);
  expect(billed.stdout).toMatch(/cus_Gone +3,000 +.*No such customer/i);
  expect(billed.stderr).toContain('1 customer(s) could not be billed for 2026-02');
  expect(await servers.control.total('cus_Borealis', 'storage-usage')).toBe('2000');
});

test('a dry run after the run: the billed are skipped, the failed are tried again', async () => {
  const { json } = await run('bill', 'month', '--month', month, '--dry-run');
  const { customers: plan, totals } = json as { customers: { action: string }[]; totals: object };
  expect(plan.map(({ action }) => action)).toEqual(['skip', 'skip', 'retry']);
  expect(totals).toMatchObject({ bill: 0, retry: 1, skip: 2, bytesToSend: '3000' });
});

test('bill show explains the line: figures, average, identifier, delivery, price', async () => {
  const { code, stdout } = await durabill(['bill', 'show', 'cus_Borealis', '--month', month], env);
  expect(code).toBe(0);
  expect(stdout).toContain('8,000 bytes summed ÷ 4 recorded days = 2,000');
  expect(stdout).toContain('storage-cus_Borealis-2026-02');
  expect(stdout).toContain('$0.10 (1 GB begun at $0.10');
  expect(stdout).toMatch(/state +delivered/);
  expect(stdout).toMatch(/2026-02-04 +2,000 +0 +2,000 +1.9 KB +1 +billed/);
  expect(stdout).toContain('recorded\n');
  const gone = await run('bill', 'show', 'cus_Gone', '--month', month);
  expect(gone).toMatchObject({
    code: 0,
    json: {
      bill: { billingStatus: 'failed' },
      usage: { state: 'rejected' },
      deadLetters: [{ kind: 'storage-bill' }, { kind: 'usage-rejected' }],
    },
  });
  const none = await run('bill', 'show', 'cus_Nobody', '--month', month);
  expect(none).toMatchObject({ code: 1, json: { error: 'not_found' } });
});

test('SB24 a discarded bill is left alone by the month’s next run, and the dry run says so', async () => {
  const id = deadLetterId('storage-bill', `cus_Gone/${month}`);
  const discarded = await run('dead-letters', 'discard', id, '--reason', 'gone for good');
  expect(discarded).toMatchObject({ code: 0, json: { status: 'discarded' } });
  const dry = await run('bill', 'month', '--month', month, '--dry-run');
  expect(dry.json).toMatchObject({ totals: { bill: 0, retry: 0, leave: 1, skip: 2 } });
  const again = await run('bill', 'month', '--month', month, '--wait');
  expect(again).toMatchObject({
    code: 0,
    json: { billed: 0, failed: 0, skipped: 3, failedBills: [] },
  });
  const shown = await run('dead-letters', 'show', id);
  expect(shown.json).toMatchObject({ status: 'discarded', discardReason: 'gone for good' });
});

test('SB14 a failed bill is redriven once Stripe knows the customer; its letters are closed', async () => {
  await servers.control.createCustomer({ id: 'cus_Gone' });
  const id = deadLetterId('storage-bill', `cus_Gone/${month}`);
  const redriven = await run('dead-letters', 'redrive', id);
  expect(redriven).toMatchObject({ code: 0, json: { outcome: 'started' } });
  await expect
    .poll(async () => (await deadLetterStatus(id)) ?? 'missing', { timeout: 300_000 })
    .toBe('redriven');
  expect(await run('dead-letters', 'redrive', id)).toMatchObject({
    code: 0,
    json: { outcome: 'already-redriven', state: 'billed' },
  });
  expect(await run('dead-letters', 'redrive', '--all')).toMatchObject({
    code: 0,
    json: { redriven: [{ id: `usage-rejected/storage-cus_Gone-${month}`, outcome: 'redriven' }] },
  });
  expect(await servers.control.total('cus_Gone', 'storage-usage')).toBe('3000');
  const again = await run('bill', 'month', '--month', month, '--wait');
  expect(again).toMatchObject({ code: 0, json: { billed: 0, failed: 0, skipped: 3 } });
});

test('SB5 a day laid aside is measured by the redrive, whatever else runs', async () => {
  const facts = { customerId: 'cus_Gone', error: 'access denied', record: { day: '2026-01-31' } };
  const letter = newLetter('storage-day', '2026-01-31', facts);
  const { id } = letter;
  await tables.deadLetters.open(letter, today);
  expect(await run('dead-letters', 'redrive', '--all', '--kind', 'storage-day')).toMatchObject({
    code: 0,
    json: { redriven: [{ id, outcome: 'redriven', state: 'measured' }], failures: [] },
  });
  const rows = await tables.storageDaily.ofMonth('cus_Gone', '2026-01');
  expect(rows.map(({ date, totalStorageBytes }) => [date, totalStorageBytes])).toEqual([
    ['2026-01-31', '3000'],
  ]);
  expect(await tables.storageDaily.ofMonth('cus_Aurora', '2026-01')).toEqual([]);
});

test('a dry run goes through all pages', async () => {
  const many = Array.from({ length: 450 }, (_, index) => `cus_${String(index).padStart(4, '0')}`);
  for (let start = 0; start < many.length; start += 50) {
    const some = many.slice(start, start + 50);
    await Promise.all(some.map(async (id) => await write(id, '2026-01-30', gigabyte + 1)));
    await Promise.all(some.map(async (id) => await write(id, '2026-01-31', gigabyte + 1)));
  }
  const { code, json } = await run('bill', 'month', '--month', '2026-01', '--dry-run');
  expect(code).toBe(0);
  const { customers: plan, totals } = json as {
    customers: { customerId: string; days: number; priceCents: string }[];
    totals: object;
  };
  expect(plan.map(({ customerId }) => customerId)).toEqual([...many, 'cus_Gone']);
  expect(plan[7]).toMatchObject({ days: 2, priceCents: '20' });
  expect(totals).toMatchObject({ bill: 451, priceCents: '9010' });
});

test('SB19 a dry run names the customer whose row cannot be read, and plans all others', async () => {
  const unreadable = { customerId: 'cus_0100', date: '2026-01-29', billingMonth: '2026-01' };
  await tables.store.db.send(
    new PutCommand({ TableName: 'siftbeam-storage-usage-daily', Item: unreadable }),
  );
  const { code, json } = await run('bill', 'month', '--month', '2026-01', '--dry-run');
  const { customers: plan, totals } = json as { customers: object[]; totals: object };
  expect({ code, totals }).toMatchObject({ code: 0, totals: { bill: 450, fail: 1 } });
  expect(plan[100]).toMatchObject({
    customerId: 'cus_0100',
    action: 'fail',
    bytesToSend: '0',
    problem: 'the row storage-usage-daily/cus_0100/2026-01-29 cannot be read',
  });
});

test('a dry run that fails midway is one JSON value all the same, with the reason', async () => {
  await tables.deadLetters.open(
    newLetter('storage-bill', '2026-01', { customerId: 'cus_0200', error: 'denied' }),
    '2026-02-01T00:00:00.000Z',
  );
  const unreadable = { customerId: 'cus_0200', billingMonth: '2026-01' };
  await tables.store.db.send(
    new PutCommand({ TableName: 'siftbeam-storage-usage-monthly', Item: unreadable }),
  );
  const { code, json } = await run('bill', 'month', '--month', '2026-01', '--dry-run');
  expect({ code, json }).toMatchObject({ code: 1, json: { error: 'conflict' } });
  expect((json as { customers: object[] }).customers).toHaveLength(200);
});

async function deadLetterStatus(id: string): Promise<string | undefined> {
  return (await tables.deadLetters.get(id))?.status;
}
