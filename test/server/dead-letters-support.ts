/** What the routes of dead letters need, when a test is not about what becomes of the letters. */
import type { DeadLetter, DeadLetterStatus } from '../../domain/dead-letters.ts';
import type { UsageRecord } from '../../domain/usage.ts';
import type { AppDependencies } from '../../server/app.ts';
import { newLetter } from '../support/dead-letters.ts';

type Options = AppDependencies['deadLetters'];

export const adminToken = 'admin-token-of-a-test';
export const asAdmin = { authorization: `Bearer ${adminToken}` };

export const notInThisTest = async (): Promise<never> =>
  await Promise.reject(new Error('not in this test'));

/** Nobody gets in. */
export const noDeadLetters: Options = {
  tables: {
    deadLetters: {
      get: notInThisTest,
      close: notInThisTest,
      reopen: notInThisTest,
      page: notInThisTest,
    },
    ledger: { get: notInThisTest, record: notInThisTest, requeue: notInThisTest },
    storageDaily: { get: notInThisTest, hasDay: notInThisTest },
    storageMonthly: { get: notInThisTest },
    webhookEvents: { get: notInThisTest },
  },
  temporal: {
    ask: notInThisTest,
    connect: () => {
      throw new Error('not in this test');
    },
  },
  now: () => new Date(),
};

const at = '2026-11-21T10:00:00.000Z';

function letter(kind: DeadLetter['kind'], about: string, status: DeadLetterStatus): DeadLetter {
  const facts = { error: 'no luck', attempts: 3, record: { some: [1, 'x'] } };
  return { ...newLetter(kind, about, facts), status, createdAt: at, updatedAt: at };
}

const letters = [
  letter('usage-parked', 'use1', 'open'),
  letter('webhook-event', 'evt_1', 'open'),
  letter('usage-parked', 'gone', 'discarded'),
];

const find = (id: string) => letters.find((one) => one.id === id);

const usage: UsageRecord = {
  identifier: 'use1',
  customerId: 'cus_1',
  meter: 'file_processed',
  quantity: '1',
  occurredAt: at,
  source: { kind: 'processing', id: 'use1' },
  recordedAt: at,
  state: 'parked',
  attempts: 1,
  rounds: 1,
  freshKey: false,
  life: [],
};

const event = {
  eventId: 'evt_1',
  type: 'invoice.paid',
  createdAt: at,
  livemode: false,
  thin: false,
  status: 'dead' as const,
  receivedAt: at,
  ttl: 4_000_000_000,
};

/** Usage that can be redriven, an event that is never applied, a letter that is closed. */
export const someDeadLetters: Options = {
  tables: {
    deadLetters: {
      get: async (id) => await Promise.resolve(find(id)),
      close: async (id) => await Promise.resolve(find(id)?.status === 'open'),
      reopen: notInThisTest,
      page: async () => {
        const next = { 'webhook-event': { createdAt: at, id: 'webhook-event/evt_1' } };
        return await Promise.resolve({ letters: letters.slice(0, 2), next });
      },
    },
    ledger: {
      get: async () => await Promise.resolve(usage),
      record: notInThisTest,
      requeue: async () => await Promise.resolve({ ...usage, state: 'pending' as const }),
    },
    storageDaily: { get: notInThisTest, hasDay: notInThisTest },
    storageMonthly: { get: notInThisTest },
    webhookEvents: { get: async () => await Promise.resolve(event) },
  },
  temporal: {
    ask: async () => {
      await Promise.resolve();
    },
    connect: () => ({
      announce: async () => {
        await Promise.resolve();
      },
      announceEvent: async () => {
        await Promise.resolve();
      },
      measureDay: notInThisTest,
      startBill: notInThisTest,
      waitUntil: async () => await Promise.resolve(false),
    }),
  },
  now: () => new Date(at),
};
