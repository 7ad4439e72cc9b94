import { ApplicationFailure, Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import type { ChunkTally } from '../../activities/measure-storage.ts';
import { queryNames } from '../../engine/contract.ts';
import type { AggregateStorageInput, AggregateStorageProgress } from '../../domain/storage-runs.ts';
import { startAs } from '../support/start.ts';
import { taskQueue, withTimeSkipping } from '../support/time-skipping.ts';

const day = '2026-02-11';
const minuteMs = 60_000;
const tally = (customers: number, failed: string[] = []): ChunkTally => ({
  customers,
  bytes: String(customers * 10),
  files: customers,
  failed: failed.map((customerId) => ({ customerId, reason: `${customerId} is denied` })),
});

interface Told {
  calls: string[];
  /** When customers were tried again, in minutes after the attempt before. */
  pauses: number[];
  laidAside: string[];
}

/** `fails` says which customers fail in which try; try 0 is the chunk's. */
function recording(
  chunks: number,
  fails: (attempt: number, chunk: number) => string[],
): { told: Told; activities: Partial<Activities> } {
  const told: Told = { calls: [], pauses: [], laidAside: [] };
  let [attempt, beforeMs] = [0, 0];
  const nowMs = (): number => Context.current().info.currentAttemptScheduledTimestampMs;
  const activities: Partial<Activities> = {
    planDay: async () => {
      told.calls.push('plan');
      return await Promise.resolve({ chunks, customers: chunks * 1000, failed: 0 });
    },
    aggregateChunk: async ({ chunk, day: asked }) => {
      told.calls.push(`chunk ${chunk} of ${asked}`);
      beforeMs = nowMs();
      const failed = fails(0, chunk);
      return await Promise.resolve(tally(1000 - failed.length, failed));
    },
    aggregateCustomers: async ({ customerIds }) => {
      attempt += 1;
      told.calls.push(
        `again ${customerIds.length < 5 ? customerIds.join(' ') : customerIds.length}`,
      );
      told.pauses.push(Math.floor((nowMs() - beforeMs) / minuteMs));
      beforeMs = nowMs();
      const failed = fails(attempt, 0).filter((id) => customerIds.includes(id));
      return await Promise.resolve(tally(customerIds.length - failed.length, failed));
    },
    layAsideDay: async ({ day: asked, failed }) => {
      told.laidAside.push(
        ...failed.map(({ customerId, reason }) => `${asked} ${customerId}: ${reason}`),
      );
      await Promise.resolve();
    },
    forgetPlan: async (order) => {
      told.calls.push(`forget ${order.chunks}`);
      await Promise.resolve();
    },
  };
  return { told, activities };
}

async function start(env: TestWorkflowEnvironment, input: AggregateStorageInput) {
  const run = { taskQueue, workflowId: 'aggregate-storage/test' };
  return await startAs(env.client, run, 'aggregateStorage', input);
}

describe('SB5 customers whose listing fails', () => {
  test('are tried again after 1, 5 and 15 minutes, then laid aside; the others are finished', async () => {
    // One recovers at the second try, one never does.
    const { told, activities } = recording(2, (attempt, chunk) =>
      chunk === 1 ? [] : attempt < 2 ? ['cus_bad', 'cus_late'] : ['cus_bad'],
    );
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env, { day });
      expect(await handle.result()).toEqual({
        day,
        customers: 1999,
        bytes: '19990',
        files: 1999,
        failed: 1,
        chunksDone: 2,
        chunks: 2,
        durationMs: expect.closeTo(21 * minuteMs, -5) as number,
      });
    });
    expect(told).toEqual({
      calls: [
        'plan',
        `chunk 0 of ${day}`,
        `chunk 1 of ${day}`,
        'again cus_bad cus_late',
        'again cus_bad cus_late',
        'again cus_bad',
        'forget 2',
      ],
      pauses: [1, 5, 15],
      laidAside: [`${day} cus_bad: cus_bad is denied`],
    });
  });

  test('that recover at the first try again wait no longer, and no letter is written', async () => {
    const { told, activities } = recording(1, (attempt) => (attempt === 0 ? ['cus_1'] : []));
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env, { day });
      expect(await handle.result()).toMatchObject({ customers: 1000, failed: 0 });
    });
    expect([told.pauses, told.laidAside, told.calls.at(-1)]).toEqual([[1], [], 'forget 1']);
  });

  test('more than 1,000 of them: the first are tried again, every other one is named at once', async () => {
    const names = Array.from({ length: 700 }, (_, index) => `cus_${index}`);
    const { told, activities } = recording(2, (attempt) => (attempt === 0 ? names : []));
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env, { day });
      expect(await handle.result()).toMatchObject({ customers: 1600, failed: 400 });
    });
    expect(told.calls).toContain('again 1000');
    expect(told.laidAside).toEqual(names.slice(300).map((id) => `${day} ${id}: ${id} is denied`));
  });

  test('only some customers, after their letters were looked at: at once, then 5 and 15 minutes', async () => {
    const { told, activities } = recording(0, () => ['cus_1']);
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env, { day, only: ['cus_1', 'cus_2'] });
      expect(await handle.result()).toMatchObject({ customers: 1, failed: 1, chunks: 0 });
    });
    expect(told.calls).toEqual(['again cus_1 cus_2', 'again cus_1', 'again cus_1']);
    expect(told.pauses.slice(1)).toEqual([5, 15]);
    expect(told.laidAside).toHaveLength(1);
  });

  test('a chunk that throws blames nobody and is tried again until it goes', async () => {
    const { told, activities } = recording(1, () => []);
    const { aggregateChunk } = activities;
    let thrown = 0;
    const chunk: Activities['aggregateChunk'] = async (order) => {
      thrown += 1;
      if (thrown <= 12 || aggregateChunk === undefined) throw new Error('the bucket is down');
      return await aggregateChunk(order);
    };
    await withTimeSkipping({ ...activities, aggregateChunk: chunk }, async (env) => {
      const handle = await start(env, { day });
      expect(await handle.result()).toMatchObject({ customers: 1000, failed: 0 });
    });
    expect([thrown, told.pauses, told.laidAside]).toEqual([13, [], []]);
  });
});

describe('SB1 the day', () => {
  test('from no schedule, or no day of the calendar: refused, and nothing is listed', async () => {
    const { told, activities } = recording(1, () => []);
    await withTimeSkipping(activities, async (env) => {
      for (const [input, reason] of [
        [{}, 'started by no schedule'],
        [{ day: '2026-02-29' }, 'is not a day'],
        [{ day: '2026-2-1' }, 'is not a day'],
        [{ day: '../../etc\u0000' }, 'is not a day'],
      ] as const) {
        const handle = await start(env, input);
        const failure: unknown = await handle.result().catch((error: unknown) => error);
        expect(failure).toMatchObject({ cause: { type: 'Refused', nonRetryable: true } });
        expect(failure).toHaveProperty('cause.message', expect.stringContaining(reason));
      }
    });
    expect(told.calls).toEqual([]);
  });

  test('nobody to measure is a result, not a failure', async () => {
    const { told, activities } = recording(0, () => []);
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env, { day });
      expect(await handle.result()).toMatchObject({ customers: 0, bytes: '0', chunks: 0 });
      expect(await handle.query<AggregateStorageProgress>(queryNames.progress)).toMatchObject({
        day,
        customers: 0,
        failed: 0,
      });
    });
    expect(told.calls).toEqual(['plan']);
  });

  test('a refusal of our own ends the run: it is not tried for hours', async () => {
    const { activities } = recording(1, () => []);
    const planDay: Activities['planDay'] = async () => {
      await Promise.resolve();
      throw ApplicationFailure.nonRetryable('no', 'Refused');
    };
    await withTimeSkipping({ ...activities, planDay }, async (env) => {
      const handle = await start(env, { day });
      await expect(handle.result()).rejects.toThrow('Workflow execution failed');
    });
  });
});
