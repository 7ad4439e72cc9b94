import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { ActivityFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import { queryNames, signalNames } from '../../engine/contract.ts';
import type { ProcessingProgress, ProcessingRequest } from '../../domain/processing.ts';
import type { UsageSettled } from '../../domain/usage.ts';
import type { WorkflowOf } from '../../engine/contract.ts';
import { startAs } from '../support/start.ts';
import { taskQueue, withTimeSkipping } from '../support/time-skipping.ts';

type History = Awaited<ReturnType<Handle['fetchHistory']>>;
type Handle = WorkflowHandle<WorkflowOf<'processFiles'>>;
const hourMs = 3_600_000;
const request: ProcessingRequest = {
  processingId: 'job',
  customerId: 'cus_1',
  files: ['a', 'b', 'c'],
};

/** Activities that do what is asked and remember it; `changes` replaces some. */
function recording(changes: Partial<Activities> = {}) {
  const calls: string[] = [];
  const activities: Partial<Activities> = {
    beginProcessing: async () => {
      calls.push('begin');
      return await Promise.resolve({ status: 'in_progress', totalBytes: 0 });
    },
    processChunk: async ({ files }) => {
      calls.push('chunk');
      return await Promise.resolve({ files: files.length, bytes: files.length * 1000 });
    },
    completeProcessing: async ({ totalBytes }) => {
      calls.push(`complete ${totalBytes}`);
      return await Promise.resolve({ delivery: 'pending' });
    },
    failProcessing: async ({ error }) => {
      calls.push(`fail ${error}`);
      await Promise.resolve();
    },
    removeOutputs: async () => {
      calls.push('remove');
      return await Promise.resolve({ removed: 0 });
    },
    ...changes,
  };
  return { calls, activities };
}

async function start(env: TestWorkflowEnvironment, job = request): Promise<Handle> {
  const run = { taskQueue, workflowId: `process-files/${job.processingId}` };
  return await startAs(env.client, run, 'processFiles', job);
}

const delivered: UsageSettled = { identifier: 'job', state: 'delivered' };

describe('the story', () => {
  test('FM2 FM4 files, then completion with the sum of the bytes, then the delivery is heard of', async () => {
    const { calls, activities } = recording();
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env);
      await handle.signal(signalNames.usageSettled, delivered);
      expect(await handle.result()).toEqual({
        processingId: 'job',
        status: 'completed',
        fileCount: 3,
        totalBytes: 3000,
        delivery: 'delivered',
      });
      expect(calls).toEqual(['begin', 'chunk', 'complete 3000']);
    });
  });

  test('FM6 I8 the delivery is put off: the job ends completed and says why', async () => {
    const { activities } = recording();
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env);
      const put = { identifier: 'job', state: 'pending', error: 'Stripe HTTP 500: down' };
      await handle.signal(signalNames.usageSettled, put);
      expect(await handle.result()).toMatchObject({
        status: 'completed',
        delivery: 'pending',
        deliveryError: 'Stripe HTTP 500: down',
      });
    });
  });

  test('I8 never told of the delivery: ends by itself after an hour', async () => {
    const { activities } = recording();
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env);
      expect((await handle.result()).delivery).toBe('pending');
      const { startTime, closeTime } = await handle.describe();
      const tookMs = (closeTime?.getTime() ?? 0) - startTime.getTime();
      expect(Math.floor(tookMs / hourMs)).toBe(1);
    });
  });

  test('FM9 zero bytes: nothing to wait for', async () => {
    const { activities } = recording({
      processChunk: async () => await Promise.resolve({ files: 3, bytes: 0 }),
      completeProcessing: async () => await Promise.resolve({ delivery: 'delivered' }),
    });
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env);
      expect(await handle.result()).toMatchObject({ totalBytes: 0, delivery: 'delivered' });
    });
  });

  test('FM11 the query tells step, files and bytes', async () => {
    const { activities } = recording();
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env);
      await handle.signal(signalNames.usageSettled, delivered);
      await handle.result();
      expect(await handle.query<ProcessingProgress>(queryNames.progress)).toEqual({
        step: 'done',
        fileCount: 3,
        filesDone: 3,
        bytesDone: 3000,
      });
    });
  });

  test('FM12 10,000 files: 4 chunks at once, under 10,000 events', async () => {
    const seen: string[] = [];
    const { activities } = recording({
      processChunk: async ({ files }) => {
        seen.push(...files);
        return await Promise.resolve({ files: files.length, bytes: files.length });
      },
    });
    const files = Array.from({ length: 10_000 }, (_, index) => `file-${index}`);
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env, { ...request, files });
      await handle.signal(signalNames.usageSettled, delivered);
      expect(await handle.result()).toMatchObject({ fileCount: 10_000, totalBytes: 10_000 });
      const events = (await handle.fetchHistory()).events ?? [];
      expect(events.length).toBeLessThan(10_000);
      expect(mostUnderWay(events)).toBe(4);
    });
    expect(seen.toSorted()).toEqual(files.toSorted());
  });
});

test('FM12 the list of files stands in the history as the input and in its chunks’ orders, no third time', async () => {
  const { activities } = recording();
  const files = Array.from({ length: 60 }, (_, index) => `file-${index}.csv`);
  await withTimeSkipping(activities, async (env) => {
    const handle = await start(env, { ...request, files });
    await handle.signal(signalNames.usageSettled, delivered);
    await handle.result();
    const history = await handle.fetchHistory();
    const told = (history.events ?? []).flatMap(textsOf).join('\n');
    expect(files.map((file) => told.split(`"${file}"`).length - 1)).toEqual(files.map(() => 2));
  });
});

describe('failures', () => {
  test('FM3 a file that cannot be read: undone, failed with the key, nothing completed', async () => {
    const message = 'service/input/cus_1/b does not exist';
    const { calls, activities } = recording({
      processChunk: async () =>
        await Promise.reject(ApplicationFailure.nonRetryable(message, 'FileUnreadable')),
    });
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env);
      const failure: unknown = await handle.result().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(WorkflowFailedError);
      const cause = failure instanceof WorkflowFailedError ? failure.cause : undefined;
      expect(cause).toBeInstanceOf(ActivityFailure);
      expect(cause).toMatchObject({ cause: { message } });
      expect(calls).toEqual(['begin', `fail ${message}`, 'remove']);
    });
  });

  test('FM3 one chunk fails: the others are stopped and waited for before anything is undone', async () => {
    const calls: string[] = [];
    const { activities } = recording({
      processChunk: async ({ chunk }) => {
        if (chunk === 2) {
          throw ApplicationFailure.nonRetryable('unreadable', 'FileUnreadable');
        }
        try {
          for (;;) {
            Context.current().heartbeat();
            await Context.current().sleep(100);
          }
        } catch (error) {
          calls.push('stopped');
          throw error;
        }
      },
      removeOutputs: async () => {
        calls.push('remove');
        return await Promise.resolve({ removed: 0 });
      },
    });
    const files = Array.from({ length: 80 }, (_, index) => `file-${index}`);
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env, { ...request, files });
      await expect(handle.result()).rejects.toThrow('Workflow execution failed');
      expect(calls).toEqual(['stopped', 'stopped', 'stopped', 'remove']);
    });
  });

  test('FM11 cancelled while processing: failed with reason cancelled, nothing metered', async () => {
    const { calls, activities } = recording();
    await withTimeSkipping(
      {
        ...activities,
        processChunk: async () => {
          calls.push('chunk');
          const beating = setInterval(() => {
            Context.current().heartbeat();
          }, 50);
          try {
            return await Context.current().cancelled;
          } finally {
            clearInterval(beating);
          }
        },
      },
      async (env) => {
        const handle = await start(env);
        await waitUntil(() => calls.includes('chunk'));
        await handle.cancel();
        const failure: unknown = await handle.result().catch((error: unknown) => error);
        const cause = failure instanceof WorkflowFailedError ? failure.cause : undefined;
        expect(cause).toBeInstanceOf(CancelledFailure);
        expect(calls).toEqual(['begin', 'chunk', 'fail cancelled', 'remove']);
      },
    );
  });

  test('FM11 cancelled after completion: stays completed', async () => {
    const { calls, activities } = recording();
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env);
      await waitUntil(() => calls.includes('complete 3000'));
      await handle.cancel();
      expect(await handle.result()).toMatchObject({ status: 'completed', delivery: 'pending' });
      expect(calls).toEqual(['begin', 'chunk', 'complete 3000']);
    });
  });

  test('a processing waits out an outage of the object store of many hours', async () => {
    let endsMs = 0;
    let attempts = 0;
    const { activities } = recording({
      processChunk: async ({ files }) => {
        attempts += 1;
        const nowMs = Context.current().info.currentAttemptScheduledTimestampMs;
        endsMs = endsMs === 0 ? nowMs + 9 * hourMs : endsMs;
        if (nowMs < endsMs) throw new Error('the bucket does not answer');
        return await Promise.resolve({ files: files.length, bytes: 42 });
      },
    });
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env);
      expect(await handle.result()).toMatchObject({ status: 'completed', totalBytes: 42 });
      // One try a minute at most: the outage is not hammered.
      expect(attempts).toBeLessThan(9 * 60 + 20);
    });
  });

  test('a completed job waits out an outage of the tables', async () => {
    let tries = 0;
    const { activities } = recording({
      completeProcessing: async () => {
        tries += 1;
        if (tries < 15) throw new Error('the tables do not answer');
        return await Promise.resolve({ delivery: 'pending' });
      },
    });
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env);
      expect(await handle.result()).toMatchObject({ status: 'completed' });
      expect(tries).toBe(15);
    });
  });

  test('FM17 tables that are away for more than three days: metered at last, and the history stays short', async () => {
    let tries = 0;
    const { activities } = recording({
      completeProcessing: async () => {
        tries += 1;
        if (tries < 470) throw new Error('the tables do not answer');
        return await Promise.resolve({ delivery: 'delivered' });
      },
    });
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env);
      expect(await handle.result()).toMatchObject({ status: 'completed', delivery: 'delivered' });
      const { startTime, closeTime } = await handle.describe();
      const tookMs = (closeTime?.getTime() ?? 0) - startTime.getTime();
      expect(tookMs).toBeGreaterThan(3 * 24 * hourMs);
      const { events = [] } = await handle.fetchHistory();
      expect((events ?? []).length).toBeLessThan(200);
    });
  });

  test('FM17 chunks whose sum passes 2^53 bytes: failed once, in words, and undone', async () => {
    const { calls, activities } = recording({
      processChunk: async ({ files }) =>
        await Promise.resolve({ files: files.length, bytes: Number.MAX_SAFE_INTEGER - 1 }),
    });
    const files = Array.from({ length: 50 }, (_, index) => `file-${index}`);
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env, { ...request, files });
      const failure: unknown = await handle.result().catch((error: unknown) => error);
      const cause = failure instanceof WorkflowFailedError ? failure.cause : undefined;
      const reason = 'the job is larger than can be counted exactly (2^53 bytes)';
      expect(cause?.message).toBe(reason);
      expect(calls).toEqual(['begin', `fail ${reason}`, 'remove']);
    });
  });

  test('FM1 begun before and completed: nothing is processed again', async () => {
    const { calls, activities } = recording({
      beginProcessing: async () => await Promise.resolve({ status: 'completed', totalBytes: 77 }),
    });
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env);
      await handle.signal(signalNames.usageSettled, delivered);
      expect((await handle.result()).totalBytes).toBe(77);
      expect(calls).toEqual(['complete 77']);
    });
  });
});

/** Polls a condition of this process; bounded by the test's own timeout. */
async function waitUntil(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/** Activities that were scheduled and had not ended, at most: of no clock, but of the order of events. */
function mostUnderWay(events: NonNullable<History['events']>): number {
  let [underWay, most] = [0, 0];
  for (const event of events) {
    if (event.activityTaskScheduledEventAttributes) underWay += 1;
    if (event.activityTaskCompletedEventAttributes) underWay -= 1;
    most = Math.max(most, underWay);
  }
  return most;
}

/** Every payload in a part of a history. */
function textsOf(part: unknown): string[] {
  if (part instanceof Uint8Array) return [Buffer.from(part).toString()];
  if (typeof part !== 'object' || part === null) return [];
  return Object.values(part).flatMap(textsOf);
}
