import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deliveryShardCount } from '../../domain/ids.ts';
import type { DeliveryState } from '../../domain/usage.ts';
import { createUsageLedger } from '../../tables/usage-ledger.ts';
import type { UsageLedger } from '../../tables/usage-ledger.ts';
import { usageOf } from './ledger-support.ts';
import { at, atOnce, rawRows, useDynamodb } from './support.ts';

const database = useDynamodb();
const newLedger = async () => {
  const store = await database.newStore();
  return { store, ledger: createUsageLedger(store) };
};

type Operation = 'claim' | 'confirm' | 'noteFailure' | 'defer' | 'reject' | 'park' | 'requeue';

async function operate(ledger: UsageLedger, id: string, operation: Operation, second: number) {
  const now = at(second);
  switch (operation) {
    case 'claim':
      return await ledger.claim(id, now);
    case 'confirm':
      return await ledger.confirm(id, now, 'delivered');
    case 'noteFailure':
      await ledger.noteFailure(id, 'Stripe HTTP 500: boom', false, now);
      return await ledger.get(id);
    case 'defer':
      return await ledger.defer(id, { nextAttemptAt: at(second + 60), error: 'boom', now });
    case 'reject':
      return await ledger.layAside(id, 'rejected', 'no such customer', now);
    case 'park':
      return await ledger.layAside(id, 'parked', 'retries ran out', now);
    case 'requeue': {
      const record = await ledger.get(id);
      return record === undefined ? undefined : await ledger.requeue(record, now);
    }
  }
}

const path: Record<DeliveryState, Operation[]> = {
  pending: [],
  sending: ['claim'],
  delivered: ['claim', 'confirm'],
  rejected: ['claim', 'reject'],
  parked: ['claim', 'park'],
};

/** From each state, by each operation: the state after it, or nothing where it is forbidden. */
const table: Record<DeliveryState, Partial<Record<Operation, DeliveryState>>> = {
  pending: {
    claim: 'sending',
    confirm: 'delivered',
    defer: 'pending',
    reject: 'rejected',
    park: 'parked',
  },
  sending: {
    claim: 'sending',
    confirm: 'delivered',
    noteFailure: 'sending',
    defer: 'pending',
    reject: 'rejected',
    park: 'parked',
  },
  delivered: {},
  rejected: { requeue: 'pending' },
  parked: { requeue: 'pending' },
};

const operations = [
  'claim',
  'confirm',
  'noteFailure',
  'defer',
  'reject',
  'park',
  'requeue',
] as const;
const states = ['pending', 'sending', 'delivered', 'rejected', 'parked'] as const;
const cases = states.flatMap((from) =>
  operations.map((operation) => ({ from, operation, to: table[from][operation] })),
);

describe('DL2 every transition', () => {
  test.each(cases.filter(({ to }) => to !== undefined))(
    'DL2 $from → $operation → $to',
    async ({ from, operation, to }) => {
      const { store, ledger } = await newLedger();
      await ledger.record(usageOf('job-1'), at(0));
      for (const step of path[from]) await operate(ledger, 'job-1', step, 1);
      const before = await ledger.get('job-1');
      expect(before?.state).toBe(from);
      const after = await operate(ledger, 'job-1', operation, 2);
      expect(after?.state).toBe(to);
      expect(after).toStrictEqual(await ledger.get('job-1'));
      expect(after?.life.slice(0, -1)).toStrictEqual(before?.life);
      const [raw] = await rawRows(store, 'usage-ledger');
      expect('deliveryShard' in (raw ?? {})).toBe(to === 'pending' || to === 'sending');
    },
  );

  test.each(cases.filter(({ to }) => to === undefined))(
    'DL2 $from refuses $operation and stays as it is',
    async ({ from, operation }) => {
      const { store, ledger } = await newLedger();
      await ledger.record(usageOf('job-1'), at(0));
      for (const step of path[from]) await operate(ledger, 'job-1', step, 1);
      const before = await rawRows(store, 'usage-ledger');
      const answer = await operate(ledger, 'job-1', operation, 2);
      // Taking a note answers nothing: what is read back is the row as it was.
      const expected = operation === 'noteFailure' ? await ledger.get('job-1') : undefined;
      expect(answer).toStrictEqual(expected);
      expect(await rawRows(store, 'usage-ledger')).toStrictEqual(before);
    },
  );

  test.each(operations)('DL1 %s makes no row of a record that is not there', async (operation) => {
    const { store, ledger } = await newLedger();
    expect(await operate(ledger, 'job-404', operation, 1)).toBe(undefined);
    expect(await rawRows(store, 'usage-ledger')).toStrictEqual([]);
  });
});

describe('DL2 claim → send → confirm', () => {
  test('DL2 DL10 the first attempt’s time is set once, and life has every line in order', async () => {
    const { ledger } = await newLedger();
    await ledger.record(usageOf('job-1'), at(0));
    await ledger.claim('job-1', at(1));
    await ledger.noteFailure('job-1', 'Stripe HTTP 500: boom', true, at(2));
    await ledger.claim('job-1', at(3));
    const error = 'Stripe HTTP 500: boom';
    await ledger.defer('job-1', { nextAttemptAt: at(64), error, now: at(4) });
    await ledger.claim('job-1', at(64));
    const deferred = await ledger.get('job-1');
    expect(deferred?.error).toBe('Stripe HTTP 500: boom');
    expect(await ledger.confirm('job-1', at(65), 'delivered: Stripe had it already')).toStrictEqual(
      {
        ...usageOf('job-1'),
        recordedAt: at(0),
        state: 'delivered',
        attempts: 3,
        rounds: 1,
        freshKey: true,
        firstAttemptAt: at(1),
        lastAttemptAt: at(64),
        deliveredAt: at(65),
        life: [
          { at: at(0), what: 'recorded' },
          { at: at(1), what: 'sending' },
          { at: at(2), what: 'attempt failed: Stripe HTTP 500: boom' },
          { at: at(3), what: 'sending' },
          { at: at(4), what: `put off to ${at(64)}: Stripe HTTP 500: boom` },
          { at: at(64), what: 'sending' },
          { at: at(65), what: 'delivered: Stripe had it already' },
        ],
      },
    );
  });

  test('DL9 a redrive starts a new series and keeps the first attempt', async () => {
    const { ledger } = await newLedger();
    const record = await ledger.record(usageOf('job-1'), at(0));
    await ledger.claim('job-1', at(1));
    await ledger.defer('job-1', { nextAttemptAt: at(61), error: 'boom', now: at(2) });
    await ledger.layAside('job-1', 'parked', 'retries ran out', at(3));
    const redriven = await ledger.requeue(record, at(9));
    expect(redriven).toStrictEqual({
      ...usageOf('job-1'),
      recordedAt: at(0),
      state: 'pending',
      attempts: 1,
      rounds: 0,
      // Stripe replays what it saved under the old key.
      freshKey: true,
      firstAttemptAt: at(1),
      lastAttemptAt: at(1),
      doubtSince: at(1),
      nextAttemptAt: at(9),
      retryingSince: at(9),
      error: 'retries ran out',
      life: [
        { at: at(0), what: 'recorded' },
        { at: at(1), what: 'sending' },
        { at: at(2), what: `put off to ${at(61)}: boom` },
        { at: at(3), what: 'parked: retries ran out' },
        { at: at(9), what: 'redriven' },
      ],
    });
    expect(await ledger.requeue(record, at(10))).toBe(undefined);
  });

  test('DL2 twenty claims at once count twenty attempts and keep one first time', async () => {
    const { ledger } = await newLedger();
    await ledger.record(usageOf('job-1'), at(0));
    const claims = await atOnce(20, async () => await ledger.claim('job-1', at(1)));
    const stored = await ledger.get('job-1');
    const counts = claims.map((claim) => claim?.attempts ?? 0).toSorted((a, b) => a - b);
    expect(counts).toStrictEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    expect([stored?.firstAttemptAt, stored?.attempts, stored?.life.length]).toStrictEqual([
      at(1),
      20,
      21,
    ]);
  });

  test('DL2 of a confirm, a rejection and a parking at once exactly one holds', async () => {
    const { ledger } = await newLedger();
    await ledger.record(usageOf('job-1'), at(0));
    await ledger.claim('job-1', at(1));
    const rivals = ['confirm', 'reject', 'park'] as const;
    const answers = await Promise.all(
      rivals.map(async (rival) => await operate(ledger, 'job-1', rival, 2)),
    );
    const held = answers.filter((answer) => answer !== undefined);
    expect(held).toStrictEqual([await ledger.get('job-1')]);
  });

  test('DL10 a line of life is cut, the error is not', async () => {
    const { ledger } = await newLedger();
    await ledger.record(usageOf('job-1'), at(0));
    const error = 'x'.repeat(500);
    const deferred = await ledger.defer('job-1', { nextAttemptAt: at(60), error, now: at(1) });
    expect(deferred?.error).toBe(error);
    expect(deferred?.life.map(({ what }) => what.length)).toStrictEqual(['recorded'.length, 240]);
  });
});

describe('DL5 the sparse index', () => {
  const records = 8;
  const step = fc.record({
    record: fc.nat({ max: records - 1 }),
    operation: fc.constantFrom('record' as const, 'zero' as const, ...operations),
  });

  /** The identifiers that wait, by the table of transitions above. */
  async function play(ledger: UsageLedger, steps: { record: number; operation: string }[]) {
    const oracle = new Map<string, DeliveryState>();
    for (const [second, { record, operation }] of steps.entries()) {
      const id = `job-${record}`;
      const customerId = `cus_${record}`;
      const state = oracle.get(id);
      if (operation === 'record' || operation === 'zero') {
        if (state !== undefined) continue;
        const quantity = operation === 'zero' ? '0' : '7';
        await ledger.record(usageOf(id, { customerId, quantity }), at(second));
        oracle.set(id, operation === 'zero' ? 'delivered' : 'pending');
      } else {
        const wanted = operations.find((known) => known === operation);
        if (wanted === undefined) continue;
        await operate(ledger, id, wanted, second);
        const next = state === undefined ? undefined : table[state][wanted];
        if (next !== undefined) oracle.set(id, next);
      }
    }
    const waits = [...oracle].filter(([, state]) => state === 'pending' || state === 'sending');
    return waits.map(([id]) => id).toSorted();
  }

  test('DL5 holds exactly the undelivered, whatever happened to the records', async () => {
    const steps = fc.array(step, { minLength: 20, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const { ledger } = await newLedger();
        const waiting = await play(ledger, plan);
        const shards = await atOnce(
          deliveryShardCount,
          async (shard) => await ledger.undelivered(shard, 500),
        );
        const listed = shards
          .flatMap(({ waiting: due }) => due)
          .map(({ identifier }) => identifier);
        expect(listed.toSorted()).toStrictEqual(waiting);
      }),
      { numRuns: 15 },
    );
  });
});
