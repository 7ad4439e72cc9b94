import { afterAll, beforeAll, expect, test } from 'vitest';
import { discard, redrive, redriveByName } from '../../../operations/dead-letters/redrive.ts';
import type { RedriveDependencies } from '../../../operations/dead-letters/redrive.ts';
import { deadLetterId, storageIdentifier, storageSource } from '../../../domain/ids.ts';
import { snapshotOf } from '../../../domain/storage.ts';
import { createDynamoDb } from '../../../platform/dynamodb.ts';
import { parseConfig } from '../../../platform/config.ts';
import { createTables } from '../../../tables/create.ts';
import type { DeadLetters } from '../../../tables/dead-letters.ts';
import { createTableStore } from '../../../tables/dynamo.ts';
import { openTables } from '../../../tables/open.ts';
import type { StorageDaily } from '../../../tables/storage-daily.ts';
import type { StorageBill, StorageMonthly } from '../../../tables/storage-monthly.ts';
import type { UsageLedger } from '../../../tables/usage-ledger.ts';
import type { WebhookEvents } from '../../../tables/webhook-events.ts';
import { startDynamodbServer } from '../../cli/support.ts';
import { newLetter } from '../../support/dead-letters.ts';

let deadLetters: DeadLetters;
let storageDaily: StorageDaily;
let storageMonthly: StorageMonthly;
let ledger: UsageLedger;
let webhookEvents: WebhookEvents;
let stop: () => Promise<void>;

beforeAll(async () => {
  const server = await startDynamodbServer();
  const client = createDynamoDb(parseConfig(server.env));
  await createTables(client, 'siftbeam-');
  const store = createTableStore(client, 'siftbeam-', () => new Date(at(0)));
  ({ deadLetters, storageDaily, storageMonthly, ledger, webhookEvents } = openTables(store));
  stop = async () => {
    client.destroy();
    await server.stop();
  };
});
afterAll(async () => {
  await stop();
});

const at = (second: number): string => `2026-03-01T10:00:${String(second).padStart(2, '0')}.000Z`;
const day = '2026-02-20';
const month = '2026-02';

async function layAside(
  kind: 'storage-day' | 'storage-bill',
  customerId: string,
  second = 1,
): Promise<string> {
  const letter = newLetter(kind, kind === 'storage-day' ? day : month, { customerId });
  await deadLetters.open(letter, at(second));
  return letter.id;
}

async function measure(customerId: string): Promise<void> {
  const stored = { bytes: 1000n, files: 1 };
  await storageDaily.put(snapshotOf(customerId, day, stored, stored), at(5));
}

async function putBill(
  customerId: string,
  billingStatus: StorageBill['billingStatus'],
): Promise<void> {
  await storageMonthly.put({
    customerId,
    billingMonth: month,
    dailyUsageSum: '1000',
    totalStorageDays: 1,
    averageStorageBytes: '1000',
    averageOver: 'recorded-days',
    peakStorageBytes: '1000',
    missingDays: [],
    countedDays: [day],
    stripeMeterStatus: billingStatus === 'billed' ? 'success' : billingStatus,
    stripeMeterAmount: '1000',
    stripeMeterEventId: storageIdentifier(customerId, month),
    calculatedAt: at(5),
    billingStatus,
  });
}

const notAsked = async (): Promise<never> => await Promise.reject(new Error('not asked for'));

/** Runs that measure the day and bill the month as the real ones do, in their last steps. */
function dependencies(changes: Partial<RedriveDependencies> = {}): {
  deps: RedriveDependencies;
  asked: string[];
} {
  const asked: string[] = [];
  const deps: RedriveDependencies = {
    ledger,
    deadLetters,
    storageDaily,
    storageMonthly,
    webhookEvents,
    announce: notAsked,
    announceEvent: notAsked,
    waitUntil: notAsked,
    measureDay: async ({ customerId = 'everybody' }) => {
      asked.push(customerId);
      await measure(customerId);
      return true;
    },
    startBill: async ({ customerId }) => {
      asked.push(customerId);
      await putBill(customerId, 'billed');
      const id = deadLetterId('storage-bill', `${customerId}/${month}`);
      await deadLetters.close(id, { status: 'redriven' }, at(6));
      return true;
    },
    now: () => new Date(at(30)),
    ...changes,
  };
  return { deps, asked };
}

const died = new Error('died');
const dies = async (): Promise<never> => await Promise.reject(died);
const diesAfter =
  <Args extends unknown[]>(work: (...args: Args) => Promise<unknown>) =>
  async (...args: Args): Promise<never> => {
    await work(...args);
    throw died;
  };
const status = async (id: string) => (await deadLetters.get(id))?.status;

test('SB5 a day laid aside is measured again and its letter closed; again it says so', async () => {
  const id = await layAside('storage-day', 'cus_1');
  const { deps, asked } = dependencies();
  expect(await redrive(deps, id)).toEqual({
    id,
    customerId: 'cus_1',
    period: day,
    outcome: 'redriven',
    state: 'measured',
  });
  expect(await status(id)).toBe('redriven');
  expect((await redrive(deps, id)).outcome).toBe('already-redriven');
  expect(asked).toEqual(['cus_1']);
});

test('SB5 a day that has its row after all is not measured again', async () => {
  const id = await layAside('storage-day', 'cus_rerun');
  await measure('cus_rerun');
  const { deps, asked } = dependencies();
  expect((await redrive(deps, id)).outcome).toBe('redriven');
  expect(asked).toEqual([]);
});

test.each([
  [true, 'again'],
  [false, 'started'],
] as const)(
  'SB5 no row after the run (ended: %s): the letter stays open',
  async (ended, outcome) => {
    const customerId = `cus_${outcome}`;
    const id = await layAside('storage-day', customerId);
    const { deps } = dependencies({ measureDay: async () => await Promise.resolve(ended) });
    expect(await redrive(deps, id)).toMatchObject({ outcome, state: 'missing' });
    expect(await status(id)).toBe('open');
  },
);

test('DL9 a letter opened anew while its day was measured is not closed over', async () => {
  const id = await layAside('storage-day', 'cus_anew');
  const { deps } = dependencies({
    measureDay: async () => {
      await measure('cus_anew');
      await layAside('storage-day', 'cus_anew', 20);
      return true;
    },
  });
  expect((await redrive(deps, id)).outcome).toBe('again');
  expect(await status(id)).toBe('open');
  expect((await redrive(dependencies().deps, id)).outcome).toBe('redriven');
});

test('SB21 a night laid aside is measured for everybody; its letter closes when that run has ended', async () => {
  const night = '2026-02-21';
  const letter = newLetter('storage-night', night, { customerId: '', error: 'skipped' });
  const { id } = letter;
  await deadLetters.open(letter, at(1));
  const order: object[] = [];
  const run = (rows: number, ended: boolean) => {
    const measureDay = async (of: { customerId?: string; day: string }): Promise<boolean> => {
      order.push(of);
      const stored = { bytes: 1n, files: 1 };
      if (rows > 0) await storageDaily.put(snapshotOf('cus_night', of.day, stored, stored), at(5));
      return ended;
    };
    return dependencies({ measureDay }).deps;
  };
  const done = { id, customerId: '', period: night };
  const none = { ...done, outcome: 'again', state: 'missing' };
  expect(await redrive(run(0, true), id)).toEqual(none);
  expect(await redrive(run(0, false), id)).toEqual({ ...none, outcome: 'started' });
  expect(await redrive(run(1, false), id)).toEqual({
    ...done,
    outcome: 'started',
    state: 'measured',
  });
  expect(await status(id)).toBe('open');
  expect(order).toEqual([{ day: night }, { day: night }, { day: night }]);
  const measured = { ...done, outcome: 'redriven', state: 'measured' };
  expect(await redrive(run(1, true), id)).toEqual(measured);
  expect(await status(id)).toBe('redriven');
  expect(await redrive(run(1, true), id)).toEqual({ ...measured, outcome: 'already-redriven' });
  expect(order).toHaveLength(3);
});

test('SB14 a failed bill is started again, and its letter closed by its run', async () => {
  const id = await layAside('storage-bill', 'cus_1');
  await putBill('cus_1', 'failed');
  const { deps, asked } = dependencies();
  expect(await redrive(deps, id)).toMatchObject({ outcome: 'started', period: month });
  expect(asked).toEqual(['cus_1']);
  expect(await status(id)).toBe('redriven');
  expect(await redrive(deps, id)).toMatchObject({ outcome: 'already-redriven', state: 'billed' });
  expect(asked).toEqual(['cus_1']);
});

test('SB15 a bill that is billed already is not started; its letter is closed', async () => {
  const id = await layAside('storage-bill', 'cus_billed');
  await putBill('cus_billed', 'billed');
  const { deps } = dependencies({ startBill: dies });
  expect(await redrive(deps, id)).toMatchObject({ outcome: 'redriven', state: 'billed' });
  expect(await status(id)).toBe('redriven');
});

test('SB15 a bill that runs already is not started twice, and its letter stays open', async () => {
  const id = await layAside('storage-bill', 'cus_runs');
  await putBill('cus_runs', 'pending');
  const { deps } = dependencies({ startBill: async () => await Promise.resolve(false) });
  expect(await redrive(deps, id)).toMatchObject({ outcome: 'started', state: 'pending' });
  expect(await status(id)).toBe('open');
});

type Break = (deps: RedriveDependencies) => Partial<RedriveDependencies>;
const deaths: [kind: 'storage-day' | 'storage-bill', when: string, broken: Break][] = [
  ['storage-day', 'before the run', () => ({ measureDay: dies })],
  ['storage-day', 'after the run', ({ measureDay }) => ({ measureDay: diesAfter(measureDay) })],
  ['storage-day', 'before close', () => ({ deadLetters: { get: deadLetters.get, close: dies } })],
  [
    'storage-day',
    'after close',
    () => ({ deadLetters: { get: deadLetters.get, close: diesAfter(deadLetters.close) } }),
  ],
  ['storage-bill', 'before the start', () => ({ startBill: dies })],
  ['storage-bill', 'after the start', ({ startBill }) => ({ startBill: diesAfter(startBill) })],
];

test.each(deaths)(
  'DL9 %s: dying %s and running again ends the redrive',
  async (kind, when, broken) => {
    const customerId = `cus_${when.replaceAll(' ', '_')}`;
    const id = await layAside(kind, customerId);
    const { deps, asked } = dependencies();
    await expect(redrive({ ...deps, ...broken(deps) }, id)).rejects.toThrow(died);
    await redrive(deps, id);
    expect(asked).toEqual([customerId]);
    expect(await status(id)).toBe('redriven');
  },
);

test('DL9 a day and a failed bill can be discarded; a bill under way or billed cannot', async () => {
  const { deps } = dependencies();
  const dayId = await layAside('storage-day', 'cus_d');
  expect(await discard(deps, dayId, 'a test customer')).toMatchObject({ status: 'discarded' });
  await expect(redrive(deps, dayId)).rejects.toMatchObject({ code: 'conflict' });
  const failed = await layAside('storage-bill', 'cus_d');
  await putBill('cus_d', 'failed');
  expect(await discard(deps, failed, 'a test customer')).toMatchObject({ status: 'discarded' });
  for (const state of ['pending', 'billed'] as const) {
    const id = await layAside('storage-bill', `cus_${state}_d`);
    await putBill(`cus_${state}_d`, state);
    await expect(discard(deps, id, 'x')).rejects.toMatchObject({ code: 'conflict' });
    expect(await status(id)).toBe('open');
  }
});

test('SB24 a discarded bill is billed again when its letter is redriven by name, and not otherwise', async () => {
  const id = await layAside('storage-bill', 'cus_named');
  await putBill('cus_named', 'failed');
  const { deps, asked } = dependencies();
  await discard(deps, id, 'a test customer');
  await expect(redrive(deps, id)).rejects.toMatchObject({ code: 'conflict' });
  expect(asked).toEqual([]);
  expect(await redriveByName({ ...deps, deadLetters }, id)).toMatchObject({ outcome: 'started' });
  expect(asked).toEqual(['cus_named']);
  expect(await status(id)).toBe('redriven');
});

test('SB24 dying after the letter was opened again leaves it open, with the reason of the discard', async () => {
  const id = await layAside('storage-bill', 'cus_reopened');
  await putBill('cus_reopened', 'failed');
  const { deps } = dependencies({ startBill: dies });
  await discard(deps, id, 'a test customer');
  await expect(redriveByName({ ...deps, deadLetters }, id)).rejects.toThrow(died);
  expect(await deadLetters.get(id)).toMatchObject({
    status: 'open',
    discardReason: 'a test customer',
  });
});

test('SB24 a discarded day is not opened again by its name', async () => {
  const id = await layAside('storage-day', 'cus_named_day');
  const { deps } = dependencies();
  await discard(deps, id, 'a test customer');
  const named = redriveByName({ ...deps, deadLetters }, id);
  await expect(named).rejects.toMatchObject({ code: 'conflict' });
});

test.each(['pending', 'sending', 'delivered'] as const)(
  'SB24 a failed bill whose usage is %s cannot be discarded: it will be billed',
  async (state) => {
    const customerId = `cus_usage_${state}`;
    const identifier = storageIdentifier(customerId, month);
    const id = await layAside('storage-bill', customerId);
    await putBill(customerId, 'failed');
    await ledger.record(
      {
        identifier,
        customerId,
        meter: 'storage-usage',
        quantity: '1000',
        occurredAt: '2026-02-28T23:59:59.000Z',
        source: storageSource(customerId, month),
      },
      at(5),
    );
    if (state !== 'pending') await ledger.claim(identifier, at(6));
    if (state === 'delivered') await ledger.confirm(identifier, at(7), 'delivered');
    const { deps } = dependencies();
    await expect(discard(deps, id, 'x')).rejects.toMatchObject({ code: 'conflict' });
    expect(await status(id)).toBe('open');
  },
);
