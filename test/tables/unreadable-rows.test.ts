/** SB19: a row that somebody wrote wrongly hides none beside it, whatever reads them, and is told of. */
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import { alertOf } from '../../domain/alerts.ts';
import { deliveryShard } from '../../domain/ids.ts';
import type { TableStore } from '../../tables/dynamo.ts';
import { openTables } from '../../tables/open.ts';
import type { Tables } from '../../tables/open.ts';
import { UnreadableRow } from '../../tables/read-rows.ts';
import { tableSchemas } from '../../tables/schema.ts';
import { usageOf } from './ledger-support.ts';
import { at, collect, rawRows, useDynamodb } from './support.ts';
import { newLetter } from '../support/dead-letters.ts';

const database = useDynamodb();

interface Reader {
  table: keyof typeof tableSchemas;
  /** One good row of `cus_1`, the key of a wrong one beside it, and what is wrong with that. */
  write: (tables: Tables, store: TableStore) => Promise<unknown>;
  wrong: Record<string, unknown>;
  /** How many rows are seen. */
  read: (tables: Tables) => Promise<unknown[]>;
}

const shard = deliveryShard('cus_1', 'file_processed');
const month = '2026-11';
const letter = newLetter('storage-day', '2026-11-20');
const openLetter = async ({ deadLetters }: Tables) => await deadLetters.open(letter, at(1));
const beginJob = async ({ processings }: Tables) =>
  await processings.begin(
    { processingId: 'job-1', customerId: 'cus_1', fileCount: 1, filesDigest: 'd' },
    at(1),
  );
const addKey = async ({ apiKeys }: Tables) =>
  await apiKeys.add({
    keyHash: 'hash-1',
    prefix: 'dbk_00000001',
    customerId: 'cus_1',
    scope: 'cast',
    createdAt: at(1),
  });
const record = async ({ ledger }: Tables) => await ledger.record(usageOf('job-1'), at(1));
const receive = async ({ webhookEvents }: Tables) => {
  const facts = { eventId: 'evt_1', type: 'charge.updated', createdAt: at(1) };
  await webhookEvents.put({ ...facts, livemode: false, thin: false }, 'received', undefined);
};
const fact = { facts: { invoiceId: 'in_1' }, kind: 'payment_failed', customerId: 'cus_1' } as const;
const wrongKey = { keyHash: 'hash-2', scope: 'everything' };
const wrongJob = { processingId: 'job-2', fileCount: 'two' };
const wrongLetter = { id: 'storage-day/b', status: 'lost' };

const readers: [name: string, reader: Reader][] = [
  [
    'deadLetters.list',
    {
      table: 'deadLetters',
      write: openLetter,
      wrong: wrongLetter,
      read: async ({ deadLetters }) => await collect(deadLetters.list(undefined)),
    },
  ],
  [
    'deadLetters.page',
    {
      table: 'deadLetters',
      write: openLetter,
      wrong: wrongLetter,
      read: async ({ deadLetters }) => (await deadLetters.page({ limit: 10 })).letters,
    },
  ],
  [
    'processings.list of all',
    {
      table: 'processingHistory',
      write: beginJob,
      wrong: wrongJob,
      read: async ({ processings }) => await collect(processings.list(undefined)),
    },
  ],
  [
    'processings.list of a customer',
    {
      table: 'processingHistory',
      write: beginJob,
      wrong: wrongJob,
      read: async ({ processings }) => await collect(processings.list('cus_1')),
    },
  ],
  [
    'processings.page',
    {
      table: 'processingHistory',
      write: beginJob,
      wrong: wrongJob,
      read: async ({ processings }) => (await processings.page('cus_1', 10, undefined)).rows,
    },
  ],
  [
    'apiKeys.list',
    {
      table: 'apiKeys',
      write: addKey,
      wrong: wrongKey,
      read: async ({ apiKeys }) => await collect(apiKeys.list()),
    },
  ],
  [
    'apiKeys.listOf',
    {
      table: 'apiKeys',
      write: addKey,
      wrong: wrongKey,
      read: async ({ apiKeys }) => await apiKeys.listOf('cus_1'),
    },
  ],
  [
    'alerts.first',
    {
      table: 'alerts',
      write: async ({ alerts }) => await alerts.put(alertOf(fact, new Date(at(1)))),
      // The older one, which would stand before all others of its line.
      wrong: { alertId: 'alert_0', raisedAt: at(0), facts: 'none' },
      read: async ({ alerts }) => [await alerts.first('cus_1')].filter(Boolean),
    },
  ],
  [
    'subscriptions.ofCustomer',
    {
      table: 'subscriptions',
      write: async ({ subscriptions }) =>
        await subscriptions.mirror(
          {
            subscriptionId: 'sub_1',
            customerId: 'cus_1',
            status: 'active',
            prices: [],
            cancelAtPeriodEnd: false,
            paused: false,
            stripeCreated: at(1),
          },
          0,
        ),
      wrong: { subscriptionId: 'sub_2', prices: 'none' },
      read: async ({ subscriptions }) => await subscriptions.ofCustomer('cus_1'),
    },
  ],
  [
    'payments.ofCustomer',
    {
      table: 'payments',
      write: async ({ payments }) =>
        await payments.mirror(
          {
            paymentId: 'pi_1',
            customerId: 'cus_1',
            status: 'succeeded',
            amount: 5,
            currency: 'usd',
            stripeCreated: at(1),
          },
          0,
        ),
      wrong: { paymentId: 'pi_2', amount: '12.5' },
      read: async ({ payments }) => await payments.ofCustomer('cus_1', 10),
    },
  ],
  [
    'storageMonthly.ofMonth',
    {
      table: 'storageMonthly',
      write: async ({ storageMonthly }) =>
        await storageMonthly.put({
          customerId: 'cus_1',
          billingMonth: month,
          dailyUsageSum: '1',
          totalStorageDays: 1,
          averageStorageBytes: '1',
          averageOver: 'recorded-days',
          peakStorageBytes: '1',
          missingDays: [],
          countedDays: ['2026-11-01'],
          stripeMeterStatus: 'pending',
          stripeMeterAmount: '1',
          stripeMeterEventId: 'storage-cus_1-2026-11',
          calculatedAt: at(1),
          billingStatus: 'failed',
        }),
      wrong: { customerId: 'cus_0', dailyUsageSum: 'much' },
      read: async ({ storageMonthly }) => await collect(storageMonthly.ofMonth(month, 'failed')),
    },
  ],
  [
    'ledger.ofCustomer',
    {
      table: 'usageLedger',
      write: record,
      wrong: { identifier: 'job-0', quantity: '12.5' },
      read: async ({ ledger }) => await collect(ledger.ofCustomer('cus_1', at(-60), at(60))),
    },
  ],
];

/** A good row, and a wrong one like it. */
async function setUp({ table, write, wrong }: Pick<Reader, 'table' | 'write' | 'wrong'>) {
  const problems: string[] = [];
  const fresh = await database.newStore();
  const store: TableStore = {
    ...fresh,
    now: () => new Date(at(10)),
    onUnreadable: (problem) => problems.push(problem),
  };
  const tables = openTables(store);
  await write(tables, store);
  const [good] = await rawRows(store, tableSchemas[table].name);
  const Item = { ...good, ...wrong };
  await store.db.send(
    new PutCommand({ TableName: `${store.prefix}${tableSchemas[table].name}`, Item }),
  );
  return { tables, problems };
}

describe('SB19 a row that is none', () => {
  test.each(readers)('SB19 %s: is left out and told of, the other is there', async (_, reader) => {
    const { tables, problems } = await setUp(reader);
    expect(await reader.read(tables)).toHaveLength(1);
    const [problem = ''] = problems;
    expect(new Set(problems).size).toBe(1);
    const named = Object.values(reader.wrong)[0] as string;
    expect(problem).toContain(`the row ${tableSchemas[reader.table].name}/`);
    expect(problem).toContain(named);
    expect(problem).toContain('cannot be read');
  });

  test.each([
    ['a meter that is none', { meter: 'bytes' }],
    ['no customer', { customerId: undefined }],
    ['a time that is none', { nextAttemptAt: '2026-13' }],
  ])(
    'SB19 DL12 ledger.undelivered, %s: named for the caller, and takes a place',
    async (_, bad) => {
      const wrong = { identifier: 'job-0', nextAttemptAt: at(0), ...bad };
      const { tables } = await setUp({ table: 'usageLedger', write: record, wrong });
      const { waiting, unreadable } = await tables.ledger.undelivered(shard, 10);
      expect(waiting.map(({ identifier }) => identifier)).toEqual(['job-1']);
      expect(unreadable.map(({ identifier }) => identifier)).toEqual(['job-0']);
      const all = await tables.ledger.undelivered(shard, 1);
      expect(all.waiting.length + all.unreadable.length).toBe(1);
    },
  );

  test('SB19 WH14 ledger.deliveredBetween: says which one', async () => {
    const write = async (tables: Tables) => {
      await record(tables);
      await tables.ledger.claim('job-1', at(2));
      await tables.ledger.confirm('job-1', at(3), 'delivered');
    };
    const wrong = { identifier: 'job-0', quantity: '12.5' };
    const { tables } = await setUp({ table: 'usageLedger', write, wrong });
    const found = await collect(tables.ledger.deliveredBetween(at(0), at(9)));
    const names = found.map((one) =>
      one instanceof UnreadableRow ? [one.rowName, one.customerId] : one.identifier,
    );
    expect(names).toHaveLength(2);
    expect(names).toEqual(expect.arrayContaining([['usage-ledger/job-0', 'cus_1'], 'job-1']));
  });

  test('SB19 WH2 webhookEvents.waiting and getAll: one that is none, the other as it is', async () => {
    const wrong = { eventId: 'evt_0', type: 7 };
    const { tables } = await setUp({ table: 'webhookEvents', write: receive, wrong });
    const waiting = await collect(tables.webhookEvents.waiting());
    expect(waiting).toHaveLength(2);
    expect(waiting.filter((event) => 'problem' in event)).toMatchObject([{ eventId: 'evt_0' }]);
    const found = await tables.webhookEvents.getAll(['evt_0', 'evt_1']);
    expect([...found.keys()]).toEqual(['evt_1']);
    expect(await tables.webhookEvents.settle('evt_0', 'dead', 'it is none')).toBe('received');
  });

  test('SB19 processings.page goes on behind a page of which none can be read', async () => {
    const { tables } = await setUp({
      table: 'processingHistory',
      write: beginJob,
      wrong: { ...wrongJob, createdAt: at(2) },
    });
    const first = await tables.processings.page('cus_1', 1, undefined);
    expect(first).toEqual({ rows: [], next: { processingId: 'job-2', createdAt: at(2) } });
    const second = await tables.processings.page('cus_1', 1, first.next);
    expect(second.rows.map(({ processingId }) => processingId)).toEqual(['job-1']);
  });

  test('SB19 DL9 a dead letter that is none keeps no work from its letter', async () => {
    const { tables } = await setUp({
      table: 'deadLetters',
      write: openLetter,
      wrong: { attempts: 'many' },
    });
    await expect(tables.deadLetters.get(letter.id)).rejects.toThrow('attempts');
    await tables.deadLetters.open(letter, at(5));
    expect(await tables.deadLetters.get(letter.id)).toMatchObject({ status: 'open', attempts: 1 });
  });
});
