import { describe, expect, test } from 'vitest';
import { createTableStore } from '../../tables/dynamo.ts';
import { createStorageMonthly } from '../../tables/storage-monthly.ts';
import type { StorageBill } from '../../tables/storage-monthly.ts';
import { atOnce, collect, rawRows, useDynamodb } from './support.ts';

const database = useDynamodb();
const month = '2026-02';
const march = new Date('2026-03-01T02:00:00.000Z');

function bill(customerId: string, facts: Partial<StorageBill> = {}): Omit<StorageBill, 'ttl'> {
  return {
    customerId,
    billingMonth: month,
    dailyUsageSum: '27021597764222976',
    totalStorageDays: 3,
    averageStorageBytes: '9007199254740992',
    averageOver: 'recorded-days',
    peakStorageBytes: '9007199254740993',
    missingDays: ['2026-02-04'],
    countedDays: ['2026-02-01', '2026-02-02', '2026-02-03'],
    stripeMeterStatus: 'pending',
    stripeMeterAmount: '9007199254740992',
    stripeMeterEventId: `storage-${customerId}-${month}`,
    calculatedAt: '2026-03-01T02:00:00.000Z',
    billingStatus: 'pending',
    ...facts,
  };
}

async function storage(now: () => Date = () => march) {
  const { prefix } = await database.newStore();
  const store = createTableStore(database.client(), prefix, now);
  return { store, monthly: createStorageMonthly(store) };
}

describe('SB12 SB15 a bill', () => {
  test('is stored as it is, for five years', async () => {
    const { store, monthly } = await storage();
    expect(await monthly.put(bill('cus_1'))).toBe(true);
    const ttl = Date.parse('2026-02-01T00:00:00.000Z') / 1000 + 5 * 366 * 86_400;
    expect(await rawRows(store, 'storage-usage-monthly')).toEqual([{ ...bill('cus_1'), ttl }]);
    expect(await monthly.get('cus_1', month)).toEqual({ ...bill('cus_1'), ttl });
    expect(await monthly.get('cus_10', month)).toBeUndefined();
    expect(await monthly.get('cus_1', '2026-01')).toBeUndefined();
  });

  test('pending, failed and pending again may follow each other; notes go with their bill', async () => {
    const { monthly } = await storage();
    for (const facts of [
      {},
      { billingStatus: 'failed', stripeMeterStatus: 'failed', notes: 'Stripe HTTP 500' },
      {},
      { billingStatus: 'billed', stripeMeterStatus: 'success' },
    ] as const) {
      expect(await monthly.put(bill('cus_1', facts))).toBe(true);
      const { ttl: _ttl, ...stored } = (await monthly.get('cus_1', month)) ?? { ttl: 0 };
      expect(stored).toEqual(bill('cus_1', facts));
    }
  });

  test('a billed one never changes, by nobody of twenty at once', async () => {
    const { monthly } = await storage();
    await monthly.put(bill('cus_1', { billingStatus: 'billed', stripeMeterStatus: 'success' }));
    const before = await monthly.get('cus_1', month);
    const states = ['pending', 'failed', 'billed'] as const;
    const written = await atOnce(
      20,
      async (n) =>
        await monthly.put(bill('cus_1', { billingStatus: states[n % 3] ?? 'failed', notes: 'x' })),
    );
    expect(written).toEqual(Array.from({ length: 20 }, () => false));
    expect(await monthly.get('cus_1', month)).toEqual(before);
  });

  test('the first of two that complete it at once is the one that stays', async () => {
    const { monthly } = await storage();
    await monthly.put(bill('cus_1'));
    const written = await atOnce(
      10,
      async (n) => await monthly.put(bill('cus_1', { billingStatus: 'billed', notes: String(n) })),
    );
    const winner = written.indexOf(true);
    expect(written.filter((won) => won)).toHaveLength(1);
    expect((await monthly.get('cus_1', month))?.notes).toBe(String(winner));
  });
});

describe('reading', () => {
  test('ofMonth: one month and one state, over all pages', async () => {
    const { monthly } = await storage();
    const states = ['pending', 'failed', 'billed'] as const;
    const wanted = {
      pending: new Set<string>(),
      failed: new Set<string>(),
      billed: new Set<string>(),
    };
    await Promise.all(
      Array.from({ length: 690 }, async (_, index) => {
        const billingStatus = states[index % 3] ?? 'pending';
        const customerId = `cus_${index}`;
        wanted[billingStatus].add(customerId);
        await monthly.put(bill(customerId, { billingStatus }));
        if (index < 9)
          await monthly.put(bill(customerId, { billingMonth: '2026-01', billingStatus }));
      }),
    );
    for (const state of states) {
      const found = await collect(monthly.ofMonth(month, state));
      expect(found).toHaveLength(230);
      expect(new Set(found.map(({ customerId }) => customerId))).toEqual(wanted[state]);
      expect(await collect(monthly.ofMonth('2026-01', state))).toHaveLength(3);
    }
  }, 60_000);

  test('five years on it is as good as gone for every read, to the second', async () => {
    let now = march.getTime();
    const { monthly } = await storage(() => new Date(now));
    await monthly.put(bill('cus_1'));
    const seen = async () => [
      (await monthly.get('cus_1', month))?.customerId,
      (await collect(monthly.ofMonth(month, 'pending'))).length,
    ];
    const gone = Date.parse('2026-02-01T00:00:00.000Z') + 5 * 366 * 86_400_000;
    now = gone - 1;
    expect(await seen()).toEqual(['cus_1', 1]);
    now = gone;
    expect(await seen()).toEqual([undefined, 0]);
  });
});
