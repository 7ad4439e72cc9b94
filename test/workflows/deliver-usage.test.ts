import { ApplicationFailure, Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import type { Activities, StripeActivities } from '../../activities/index.ts';
import { afterFailedRound } from '../../domain/delivery.ts';
import type { UsageRecord } from '../../domain/usage.ts';
import { signalNames } from '../../engine/contract.ts';
import type { DeliverUsageInput, UsageArrival } from '../../domain/delivery-runs.ts';
import { signalAs, startAs } from '../support/start.ts';
import { taskQueue, withTimeSkipping } from '../support/time-skipping.ts';

type Doubles = Partial<Activities & StripeActivities>;
const hourMs = 3_600_000;
const run = { taskQueue, workflowId: 'deliver-usage/0' };

/** The server's time at which the running activity was scheduled: tests have no other clock. */
const nowMs = (): number => Context.current().info.currentAttemptScheduledTimestampMs;

/** A ledger in memory that puts off as the real one does. */
function ledger(send: (identifier: string, atMs: number) => Promise<void>) {
  const records = new Map<string, UsageRecord>();
  const attempts: { identifier: string; atMs: number }[] = [];
  const recordOf = (identifier: string): UsageRecord =>
    records.get(identifier) ?? {
      identifier,
      customerId: 'cus_1',
      meter: 'file_processed',
      quantity: '1',
      occurredAt: '',
      source: { kind: 'processing', id: identifier },
      recordedAt: '',
      state: 'pending',
      attempts: 0,
      rounds: 0,
      freshKey: false,
      life: [],
    };
  const activities = {
    sendUsage: async ({ identifier }) => {
      const atMs = nowMs();
      attempts.push({ identifier, atMs });
      const record = recordOf(identifier);
      const firstAttemptAt = record.firstAttemptAt ?? new Date(atMs).toISOString();
      records.set(identifier, { ...record, firstAttemptAt });
      await send(identifier, atMs);
      return { identifier, state: 'delivered' };
    },
    deferUsage: async ({ identifier, halted }) => {
      const record = recordOf(identifier);
      const atMs = nowMs();
      if (halted) return await Promise.resolve({ again: true, dueInMs: 300_000 });
      const next = afterFailedRound(record, atMs);
      records.set(identifier, { ...record, rounds: record.rounds + 1 });
      return await Promise.resolve(
        next.state === 'parked'
          ? { again: false }
          : { again: true, dueInMs: Date.parse(next.nextAttemptAt) - atMs },
      );
    },
    listUndelivered: async () => await Promise.resolve({ waiting: [], more: false }),
  } satisfies Doubles;
  return { activities, attempts };
}

async function deliver(
  env: TestWorkflowEnvironment,
  arrivals: readonly UsageArrival[],
  input: DeliverUsageInput = { shard: 0 },
) {
  const [first, ...others] = arrivals;
  if (first === undefined) throw new Error('nothing arrives');
  const handle = await signalAs(env.client, run, 'deliverUsage', input, [
    signalNames.usageArrived,
    first,
  ]);
  for (const arrival of others) await handle.signal(signalNames.usageArrived, arrival);
  return handle;
}

const inLane = (lane: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({ identifier: `${lane}-${index}`, lane }));

describe('order and limits', () => {
  test('DL4 one call at a time in a lane, lanes side by side, everything once', async () => {
    const busy = new Map<string, number>();
    let mostInLane = 0;
    let mostInAll = 0;
    const { activities, attempts } = ledger(async (identifier) => {
      const lane = identifier.split('-')[0] ?? '';
      busy.set(lane, (busy.get(lane) ?? 0) + 1);
      const counts = [...busy.values()];
      mostInLane = Math.max(mostInLane, ...counts);
      mostInAll = Math.max(
        mostInAll,
        counts.reduce((sum, count) => sum + count, 0),
      );
      await Context.current().sleep(5);
      busy.set(lane, (busy.get(lane) ?? 0) - 1);
    });
    const arrivals = ['a', 'b', 'c', 'd'].flatMap((lane) => inLane(lane, 8));
    await withTimeSkipping(activities, async (env) => {
      const handle = await deliver(env, arrivals);
      expect(await handle.result()).toEqual({ delivered: 32, laidAside: 0, putOff: 0 });
    });
    expect(mostInLane).toBe(1);
    expect(mostInAll).toBeGreaterThan(1);
    expect(attempts.map(({ identifier }) => identifier).toSorted()).toEqual(
      arrivals.map(({ identifier }) => identifier).toSorted(),
    );
  });

  test('I8 with nothing to do it ends', async () => {
    const { activities } = ledger(async () => await Promise.resolve());
    await withTimeSkipping(activities, async (env) => {
      const handle = await startAs(env.client, run, 'deliverUsage', { shard: 0, sweep: true });
      expect(await handle.result()).toEqual({ delivered: 0, laidAside: 0, putOff: 0 });
    });
  });

  test('DL5 a sweep sends what is found in the ledger, page after page', async () => {
    const left = Array.from({ length: 1200 }, (_, index) => ({
      identifier: `left-${index}`,
      lane: `cus_${index % 40}/file_processed`,
      dueInMs: 1,
    }));
    const sent = new Set<string>();
    const { activities, attempts } = ledger(async (identifier) => {
      sent.add(identifier);
      await Promise.resolve();
    });
    const listUndelivered = async () => {
      const waiting = left.filter(({ identifier }) => !sent.has(identifier)).slice(0, 500);
      return await Promise.resolve({ waiting, more: waiting.length === 500 });
    };
    await withTimeSkipping({ ...activities, listUndelivered }, async (env) => {
      const handle = await startAs(env.client, run, 'deliverUsage', { shard: 0, sweep: true });
      expect(await handle.result()).toEqual({ delivered: 1200, laidAside: 0, putOff: 0 });
    });
    expect(attempts).toHaveLength(1200);
  });
});

describe('outages', () => {
  test('DL3 FM6 Stripe is down for ten hours: four quick tries, then less and less often', async () => {
    let upAtMs = 0;
    const { activities, attempts } = ledger(async (_identifier, atMs) => {
      upAtMs = upAtMs === 0 ? atMs + 10 * hourMs : upAtMs;
      if (atMs < upAtMs) throw ApplicationFailure.create({ message: 'Stripe HTTP 500: down' });
      await Promise.resolve();
    });
    await withTimeSkipping(activities, async (env) => {
      const handle = await deliver(env, [{ identifier: 'one', lane: 'a' }]);
      expect(await handle.result()).toMatchObject({ delivered: 1, laidAside: 0 });
    });
    const minutes = attempts
      .slice(1)
      .map(({ atMs }, index) => Math.floor((atMs - (attempts[index]?.atMs ?? 0)) / 60_000));
    // Four tries 1, 2 and 4 s apart; a busy machine's own seconds are in the gaps as well.
    expect(minutes.slice(0, 3)).toEqual([0, 0, 0]);
    expect(minutes.slice(3, 11)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(attempts.length).toBeLessThan(25);
  });

  test('DL3 a lane that fails does not hold up the others', async () => {
    const { activities, attempts } = ledger(async (identifier) => {
      const tries = attempts.filter((attempt) => attempt.identifier === identifier).length;
      if (identifier === 'bad' && tries < 6) throw new Error('Stripe HTTP 503');
      await Promise.resolve();
    });
    await withTimeSkipping(activities, async (env) => {
      const arrivals = [{ identifier: 'bad', lane: 'a' }, ...inLane('b', 5)];
      const handle = await deliver(env, arrivals);
      expect(await handle.result()).toMatchObject({ delivered: 6 });
    });
    const order = attempts.map(({ identifier }) => identifier);
    expect(order.lastIndexOf('bad')).toBe(order.length - 1);
  });

  test('DL3 a refused key halts the shard: one record probes it, then the rest follows', async () => {
    let mendedAtMs = 0;
    const { activities, attempts } = ledger(async (_identifier, atMs) => {
      mendedAtMs = mendedAtMs === 0 ? atMs + 12 * 60_000 : mendedAtMs;
      if (atMs < mendedAtMs) throw ApplicationFailure.nonRetryable('HTTP 401', 'DeliveryHalted');
      await Promise.resolve();
    });
    const arrivals = ['a', 'b', 'c', 'd', 'e'].flatMap((lane) => inLane(lane, 2));
    await withTimeSkipping(activities, async (env) => {
      const handle = await deliver(env, arrivals);
      expect(await handle.result()).toMatchObject({ delivered: 10, laidAside: 0 });
    });
    const firstMs = attempts[0]?.atMs ?? 0;
    const afterMinutes = attempts.map(({ atMs }) => Math.floor((atMs - firstMs) / 60_000));
    // At most one of each lane before the first refusal is heard of, then a probe every 5 minutes.
    expect(afterMinutes.filter((minute) => minute < 5).length).toBeLessThanOrEqual(5);
    expect(afterMinutes.filter((minute) => minute >= 5 && minute < 10)).toHaveLength(1);
    expect(afterMinutes.filter((minute) => minute >= 10 && minute < 15)).toHaveLength(1);
    expect(afterMinutes.filter((minute) => minute >= 15)).toHaveLength(10);
  });
});
