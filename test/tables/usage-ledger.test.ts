import { describe, expect, test } from 'vitest';
import { deliveryShard } from '../../domain/ids.ts';
import { createUsageLedger } from '../../tables/usage-ledger.ts';
import { usageOf } from './ledger-support.ts';
import { at, atOnce, collect, rawRows, refusalOf, useDynamodb } from './support.ts';

const database = useDynamodb();
const newLedger = async () => {
  const store = await database.newStore();
  return { store, ledger: createUsageLedger(store) };
};

describe('DL1 a usage record is written once', () => {
  test('DL1 as it was offered, pending, in its shard', async () => {
    const { store, ledger } = await newLedger();
    const expected = {
      ...usageOf('job-1'),
      recordedAt: at(1),
      state: 'pending',
      attempts: 0,
      rounds: 0,
      freshKey: false,
      nextAttemptAt: at(1),
      life: [{ at: at(1), what: 'recorded' }],
    };
    expect(await ledger.record(usageOf('job-1'), at(1))).toStrictEqual(expected);
    expect(await ledger.get('job-1')).toStrictEqual(expected);
    expect(await rawRows(store, 'usage-ledger')).toStrictEqual([
      { ...expected, deliveryShard: deliveryShard('cus_1', 'file_processed') },
    ]);
    expect(await ledger.get('job-2')).toBe(undefined);
  });

  test('DL1 offered again with the same facts it answers with the row that is there', async () => {
    const { store, ledger } = await newLedger();
    await ledger.record(usageOf('job-1'), at(1));
    await ledger.claim('job-1', at(2));
    const confirmed = await ledger.confirm('job-1', at(3), 'delivered');
    expect(confirmed?.state).toBe('delivered');
    expect(await ledger.record(usageOf('job-1'), at(9))).toStrictEqual(confirmed);
    expect(await rawRows(store, 'usage-ledger')).toHaveLength(1);
  });

  test.each([
    [{ quantity: '1025' }, 'quantity is 1024, not 1025'],
    [{ customerId: 'cus_10' }, 'customerId is cus_1, not cus_10'],
    [{ meter: 'storage-usage' as const }, 'meter is file_processed, not storage-usage'],
    [
      { occurredAt: at(5), quantity: '0' },
      `quantity is 1024, not 0; occurredAt is ${at(0)}, not ${at(5)}`,
    ],
  ])('DL1 with other facts (%j) it is a conflict that names them', async (other, named) => {
    const { ledger } = await newLedger();
    const stored = await ledger.record(usageOf('job-1'), at(1));
    expect(await refusalOf(ledger.record(usageOf('job-1', other), at(2)))).toStrictEqual({
      code: 'conflict',
      message: `usage job-1 is in the ledger with other facts: ${named}`,
    });
    expect(await ledger.get('job-1')).toStrictEqual(stored);
  });

  test('DL1 I3 fifty at once write one row', async () => {
    const { store, ledger } = await newLedger();
    const answers = await atOnce(50, async (n) => await ledger.record(usageOf('job-1'), at(n)));
    const stored = await ledger.get('job-1');
    expect(answers).toStrictEqual(answers.map(() => stored));
    expect(await rawRows(store, 'usage-ledger')).toHaveLength(1);
  });

  test('DL1 of fifty different quantities at once one is in, the others are conflicts', async () => {
    const { ledger } = await newLedger();
    const answers = await atOnce(50, async (n) => {
      const offered = ledger.record(usageOf('job-1', { quantity: String(n + 1) }), at(n));
      return await offered.then(
        (row) => row.quantity,
        async () => (await refusalOf(offered)).code,
      );
    });
    const stored = await ledger.get('job-1');
    expect(answers.filter((answer) => answer !== 'conflict')).toStrictEqual([stored?.quantity]);
  });

  test('FM9 zero is a row of the ledger that nothing has to deliver', async () => {
    const { store, ledger } = await newLedger();
    const row = await ledger.record(usageOf('job-0', { quantity: '0' }), at(1));
    expect(row).toStrictEqual({
      ...usageOf('job-0', { quantity: '0' }),
      recordedAt: at(1),
      state: 'delivered',
      attempts: 0,
      rounds: 0,
      freshKey: false,
      deliveredAt: at(1),
      life: [{ at: at(1), what: 'recorded: zero, nothing to send' }],
    });
    expect(await rawRows(store, 'usage-ledger')).toStrictEqual([row]);
    expect(await ledger.claim('job-0', at(2))).toBe(undefined);
  });

  test.each(['9007199254740993', '123456789012345678901234567890'])(
    'I9 %s is kept exactly',
    async (quantity) => {
      const { ledger } = await newLedger();
      await ledger.record(usageOf('job-big', { quantity }), at(1));
      expect((await ledger.get('job-big'))?.quantity).toBe(quantity);
      const listed = await collect(ledger.ofCustomer('cus_1', at(0), at(1)));
      expect(listed.map((row) => row.quantity)).toStrictEqual([quantity]);
      const nearly = quantity.replace(/.$/, '2');
      const again = ledger.record(usageOf('job-big', { quantity: nearly }), at(2));
      expect((await refusalOf(again)).code).toBe('conflict');
    },
  );

  test.each(['-5', '1.5', '', '007', '1e3'])(
    'I9 %j is refused, and nothing is written',
    async (q) => {
      const { store, ledger } = await newLedger();
      const offered = ledger.record(usageOf('job-1', { quantity: q }), at(1));
      expect((await refusalOf(offered)).code).toBe('invalid_request');
      expect(await rawRows(store, 'usage-ledger')).toStrictEqual([]);
    },
  );
});

describe('DL10 the records of a customer', () => {
  test('DL10 all pages, oldest first, from inclusive to exclusive, no one else’s', async () => {
    const { ledger } = await newLedger();
    // Written youngest first; every second carries two records.
    await atOnce(450, async (n) => {
      const second = 224 - Math.floor(n / 2);
      await ledger.record(usageOf(`job-${n}`, { occurredAt: at(second) }), at(0));
    });
    await ledger.record(usageOf('other', { customerId: 'cus_10', occurredAt: at(3) }), at(0));
    const secondsOf = async (from: number, to: number) =>
      (await collect(ledger.ofCustomer('cus_1', at(from), at(to)))).map(
        ({ occurredAt }) => (Date.parse(occurredAt) - Date.parse(at(0))) / 1000,
      );
    const pairs = (from: number, to: number) =>
      Array.from({ length: 2 * (to - from) }, (_, n) => from + Math.floor(n / 2));
    expect(await secondsOf(0, 225)).toStrictEqual(pairs(0, 225));
    expect(await secondsOf(10, 211)).toStrictEqual(pairs(10, 211));
    expect(await secondsOf(7, 8)).toStrictEqual([7, 7]);
    expect(await secondsOf(7, 7)).toStrictEqual([]);
    expect(await secondsOf(225, 9999)).toStrictEqual([]);
    const all = await collect(ledger.ofCustomer('cus_1', at(0), at(225)));
    expect(new Set(all.map(({ identifier }) => identifier)).size).toBe(450);
  });
});

describe('DL5 what a shard has undelivered', () => {
  test('DL5 the earliest due first, at most as many as asked for, over pages', async () => {
    const { ledger } = await newLedger();
    await atOnce(260, async (n) => await ledger.record(usageOf(`job-${n}`), at((n * 7) % 260)));
    const shard = deliveryShard('cus_1', 'file_processed');
    const due = (await ledger.undelivered(shard, 500)).waiting.map(
      ({ nextAttemptAt }) => nextAttemptAt,
    );
    expect(due).toStrictEqual(Array.from({ length: 260 }, (_, n) => at(n)));
    expect((await ledger.undelivered(shard, 1)).waiting).toStrictEqual([
      { identifier: 'job-0', customerId: 'cus_1', meter: 'file_processed', nextAttemptAt: at(0) },
    ]);
    expect((await ledger.undelivered(shard, 205)).waiting).toHaveLength(205);
    expect(await ledger.undelivered((shard + 1) % 8, 500)).toStrictEqual({
      waiting: [],
      unreadable: [],
    });
  });
});
