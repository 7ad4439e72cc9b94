import { describe, expect, test } from 'vitest';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { daysOf } from '../../domain/period.ts';
import { snapshotOf } from '../../domain/storage.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import type { TableStore } from '../../tables/dynamo.ts';
import { createStorageDaily } from '../../tables/storage-daily.ts';
import { atOnce, collect, rawRows, useDynamodb } from './support.ts';

const database = useDynamodb();
const month = '2026-02';
const calculated = '2026-02-11T01:00:00.000Z';
const billedAt = '2026-03-01T02:00:00.000Z';
/** Rows are two years old in 2028: these tests live in March 2026. */
const march = new Date('2026-03-01T02:00:00.000Z');
const storageAt = (store: TableStore, now: Date) =>
  createStorageDaily(createTableStore(database.client(), store.prefix, () => now));

const count = (bytes: bigint, files = 1) => ({ bytes, files });
const day = (customerId: string, date: string, bytes = 100n, files = 1) =>
  snapshotOf(customerId, date, count(bytes, files), count(0n, 0));

async function storage() {
  const store = await database.newStore();
  return { store, daily: storageAt(store, march) };
}

describe('SB4 a day’s row', () => {
  test('written once; the same again is kept, to its time of calculation', async () => {
    const { store, daily } = await storage();
    const snapshot = snapshotOf('cus_1', '2026-02-11', count(2n ** 60n, 5), count(7n, 2));
    expect(await daily.put(snapshot, calculated)).toBe('written');
    const rows = await rawRows(store, 'storage-usage-daily');
    expect(rows).toEqual([
      {
        ...snapshot,
        billingMonth: month,
        totalStorageBytes: '1152921504606846983',
        totalFileCount: 7,
        billingStatus: 'pending',
        calculatedAt: calculated,
        ttl: Date.parse('2026-02-11T00:00:00.000Z') / 1000 + 2 * 366 * 86_400,
      },
    ]);
    expect(await daily.put(snapshot, '2026-02-12T00:00:00.000Z')).toBe('kept');
    expect(await rawRows(store, 'storage-usage-daily')).toEqual(rows);
  });

  test.each([
    ['input bytes', count(101n, 1), count(5n, 1)],
    ['output bytes', count(100n, 1), count(6n, 1)],
    ['input files', count(100n, 2), count(5n, 1)],
    ['output files', count(100n, 1), count(5n, 2)],
    ['bytes that moved from one side to the other', count(5n, 1), count(100n, 1)],
  ])('SB23 %s: only a row that was filled in late gives way', async (_name, input, output) => {
    const { daily } = await storage();
    const first = snapshotOf('cus_1', '2026-02-11', count(100n), count(5n));
    const newer = snapshotOf('cus_1', '2026-02-11', input, output);
    const [late, later] = ['2026-02-12T00:00:00.000Z', '2026-02-20T09:00:00.000Z'];
    expect(await daily.put(first, late)).toBe('written');
    expect(await daily.get('cus_1', '2026-02-11')).toMatchObject({ measuredLate: true });
    expect(await daily.put(newer, later)).toBe('written');
    expect(await daily.get('cus_1', '2026-02-11')).toMatchObject({
      ...newer,
      calculatedAt: later,
      measuredLate: true,
    });
  });

  test('SB23 a day measured on its day keeps its figures, 100 and not 900, the same day and later', async () => {
    const { daily } = await storage();
    expect(await daily.put(day('cus_1', '2026-02-11', 100n), calculated)).toBe('written');
    const before = await daily.get('cus_1', '2026-02-11');
    expect(before).not.toHaveProperty('measuredLate');
    for (const at of ['2026-02-11T23:59:59.999Z', '2026-02-12T01:00:00.000Z', billedAt]) {
      expect(await daily.put(day('cus_1', '2026-02-11', 900n), at)).toBe('kept');
    }
    expect(await daily.get('cus_1', '2026-02-11')).toEqual(before);
  });

  test('a billed row is never changed, whatever the next snapshot says', async () => {
    const { daily } = await storage();
    await daily.put(day('cus_1', '2026-02-11'), calculated);
    await daily.markBilled({ customerId: 'cus_1', date: '2026-02-11' }, 'storage-1', billedAt);
    const before = await daily.get('cus_1', '2026-02-11');
    expect(before).toMatchObject({ billingStatus: 'billed', billedAs: 'storage-1', billedAt });
    for (const bytes of [0n, 100n, 101n]) {
      expect(await daily.put(day('cus_1', '2026-02-11', bytes, 9), billedAt)).toBe('kept');
    }
    expect(await daily.get('cus_1', '2026-02-11')).toEqual(before);
  });

  test('twenty at once of the same snapshot: written once', async () => {
    const { daily } = await storage();
    const outcomes = await atOnce(
      20,
      async () => await daily.put(day('cus_1', '2026-02-11'), calculated),
    );
    expect(outcomes.filter((outcome) => outcome === 'written')).toHaveLength(1);
  });
});

describe('SB25 a day whose usage was refused', () => {
  test('is pending again under that identifier alone, and may be billed once more', async () => {
    const { daily } = await storage();
    const key = { customerId: 'cus_1', date: '2026-02-11' };
    await daily.put(day('cus_1', '2026-02-11'), calculated);
    const pending = await daily.get('cus_1', '2026-02-11');
    await daily.markRefused(key, 'storage-1');
    expect(await daily.get('cus_1', '2026-02-11')).toEqual(pending);
    await daily.markBilled(key, 'storage-1', billedAt);
    await daily.markRefused(key, 'storage-2');
    expect(await daily.get('cus_1', '2026-02-11')).toMatchObject({ billedAs: 'storage-1' });
    for (const _again of [1, 2]) {
      await daily.markRefused(key, 'storage-1');
      expect(await daily.get('cus_1', '2026-02-11')).toEqual(pending);
    }
    expect(await daily.markBilled(key, 'storage-2', billedAt)).toBe(true);
    await daily.markRefused({ customerId: 'cus_none', date: '2026-02-11' }, 'storage-1');
    expect(await daily.get('cus_none', '2026-02-11')).toBeUndefined();
  });
});

describe('SB13 marking', () => {
  const key = { customerId: 'cus_1', date: '2026-02-11' };

  test('the same identifier again is done and keeps the first time; another one is refused', async () => {
    const { daily } = await storage();
    await daily.put(day('cus_1', '2026-02-11'), calculated);
    expect(await daily.markBilled(key, 'storage-1', billedAt)).toBe(true);
    const first = await daily.get(key.customerId, key.date);
    expect(await daily.markBilled(key, 'storage-1', '2026-03-02T00:00:00.000Z')).toBe(true);
    expect(await daily.markBilled(key, 'storage-2', billedAt)).toBe(false);
    expect(await daily.get(key.customerId, key.date)).toEqual(first);
  });

  test('two identifiers at once, ten times each: one of them holds it alone', async () => {
    const { daily } = await storage();
    await daily.put(day('cus_1', '2026-02-11'), calculated);
    const outcomes = await atOnce(20, async (n) => ({
      as: `storage-${n % 2}`,
      marked: await daily.markBilled(key, `storage-${n % 2}`, billedAt),
    }));
    const holder = (await daily.get(key.customerId, key.date))?.billedAs;
    for (const { as, marked } of outcomes)
      expect({ as, marked }).toEqual({ as, marked: as === holder });
  });

  test('a day without a row is not made', async () => {
    const { store, daily } = await storage();
    expect(await daily.markBilled(key, 'storage-1', billedAt)).toBe(false);
    expect(await rawRows(store, 'storage-usage-daily')).toEqual([]);
  });
});

describe('reading', () => {
  test('ofMonth: one customer’s days of one month, in order', async () => {
    const { daily } = await storage();
    const dates = [
      '2026-02-28',
      '2026-02-01',
      '2026-01-31',
      '2026-03-01',
      '2025-02-14',
      '2026-02-14',
    ];
    for (const customerId of ['cus_1', 'cus_10', 'cus_']) {
      for (const date of dates) await daily.put(day(customerId, date), calculated);
    }
    const rows = await daily.ofMonth('cus_1', month);
    expect(rows.map(({ customerId, date }) => [customerId, date])).toEqual(
      ['2026-02-01', '2026-02-14', '2026-02-28'].map((date) => ['cus_1', date]),
    );
    expect(await daily.ofMonth('cus_2', month)).toEqual([]);
  });

  test('SB9 customersOfMonth: 700 rows over all pages, grouped whole, in order, after any id', async () => {
    const { daily } = await storage();
    // 25 customers of 28 days: groups lie across the ends of the pages of 200 rows.
    const ids = Array.from({ length: 25 }, (_, index) => `cus_${index}`).toSorted();
    await Promise.all(
      ids.map(async (customerId, index) => {
        for (const date of daysOf(month)) {
          await daily.put(day(customerId, date, BigInt(index)), calculated);
        }
        await daily.put(day(customerId, '2026-03-01'), calculated);
      }),
    );
    const expected = ids.map((customerId, index) => ({
      customerId,
      days: daysOf(month).map((date) => ({ date, totalStorageBytes: String(index) })),
    }));
    const found = async (after?: string) => {
      const customers = await collect(daily.customersOfMonth(month, after));
      return customers.map(({ customerId, days }) => ({
        customerId,
        days: days.toSorted((one, other) => (one.date < other.date ? -1 : 1)),
      }));
    };
    expect(await found()).toEqual(expected);
    expect(await found('cus_1')).toEqual(expected.slice(ids.indexOf('cus_1') + 1));
    expect(await found('cus_10')).toEqual(expected.slice(ids.indexOf('cus_10') + 1));
    expect(await found('cus_15x')).toEqual(expected.slice(ids.indexOf('cus_16')));
    expect(await found(ids.at(-1))).toEqual([]);
    expect(await collect(daily.customersOfMonth('2026-04'))).toEqual([]);
  }, 60_000);

  test('two years on, a row is as good as gone for every read, to the second', async () => {
    const { store, daily } = await storage();
    await daily.put(day('cus_1', '2026-02-11'), calculated);
    await daily.put(day('cus_1', '2026-02-12'), calculated);
    const gone = Date.parse('2026-02-11T00:00:00.000Z') + 2 * 366 * 86_400_000;
    const seen = async (now: number) => {
      const reader = storageAt(store, new Date(now));
      const [customer] = await collect(reader.customersOfMonth(month));
      return {
        get: (await reader.get('cus_1', '2026-02-11'))?.date,
        ofMonth: (await reader.ofMonth('cus_1', month)).map(({ date }) => date),
        customersOfMonth: customer?.days.map(({ date }) => date),
      };
    };
    const both = ['2026-02-11', '2026-02-12'];
    expect(await seen(gone - 1)).toEqual({ get: both[0], ofMonth: both, customersOfMonth: both });
    const second = both.slice(1);
    expect(await seen(gone)).toEqual({ get: undefined, ofMonth: second, customersOfMonth: second });
    expect(await seen(gone + 86_400_000)).toEqual({
      get: undefined,
      ofMonth: [],
      customersOfMonth: undefined,
    });
  });

  test('a row that is no snapshot is an error, not a figure', async () => {
    const { store, daily } = await storage();
    const row = {
      ...day('cus_1', '2026-02-11'),
      billingStatus: 'pending',
      calculatedAt: '',
      ttl: 1,
    };
    const TableName = `${store.prefix}storage-usage-daily`;
    await store.db.send(new PutCommand({ TableName, Item: { ...row, totalStorageBytes: '-5' } }));
    await expect(daily.ofMonth('cus_1', month)).rejects.toThrow('totalStorageBytes');
  });
});
