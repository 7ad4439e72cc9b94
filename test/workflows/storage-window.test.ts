/** `billStorage` and `aggregateStorage` on the real server, with typed doubles: windows and long runs. */
import type { Client } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import { workflowIds } from '../../domain/ids.ts';
import { listingTaskQueue } from '../../domain/temporal-names.ts';
import { signalNames, queryNames } from '../../engine/contract.ts';
import type { BillStorageInput, BillStorageProgress } from '../../domain/storage-runs.ts';
import { countActions, totalActions } from '../bench/support/actions.ts';
import { useEarlyRuns } from '../support/early-runs.ts';
import { runsOf } from '../support/runs-of.ts';
import { startAs } from '../support/start.ts';

/** Temporal suggests going on as new at 4,096 events; here early, so that it happens often. */
const suggestedAt = 300;
const month = '2026-02';
const { withWorkers } = useEarlyRuns(suggestedAt);

/** Each test has queues of its own: the day's listings are on a second one (DL16). */
async function withWorker(
  taskQueue: string,
  activities: Partial<Activities>,
  story: (client: Client) => Promise<void>,
): Promise<void> {
  const queues = [
    { taskQueue, activities },
    { taskQueue: listingTaskQueue(taskQueue), activities },
  ] as const;
  await withWorkers(queues, async ({ client }) => {
    await story(client);
  });
}

/** Bills in memory; `wait` names those that wait to be told. */
function bills(ids: readonly string[], wait: (customerId: string) => boolean = () => false) {
  const sorted = ids.toSorted();
  const prepared: string[] = [];
  const ended = new Set<string>();
  const completed: string[] = [];
  const failed: { customerId: string; error: string }[] = [];
  const followed: string[][] = [];
  let most = 0;
  const activities: Partial<Activities> = {
    checkMonth: async () => {
      await Promise.resolve();
    },
    listBillable: async ({ after, limit }) => {
      const left = sorted.filter((id) => id > after);
      return await Promise.resolve({
        customerIds: left.slice(0, limit),
        more: left.length > limit,
      });
    },
    prepareBill: async ({ customerId }) => {
      prepared.push(customerId);
      most = Math.max(most, prepared.length - ended.size);
      const state = wait(customerId) ? 'waiting' : 'delivered';
      return await Promise.resolve({ state, bytes: '9007199254740993' });
    },
    completeBill: async ({ customerId }) => {
      completed.push(customerId);
      ended.add(customerId);
      return await Promise.resolve({ billed: true });
    },
    failBill: async ({ customerId, error }) => {
      failed.push({ customerId, error });
      ended.add(customerId);
      await Promise.resolve();
    },
    checkBills: async ({ runs }) => {
      const customerIds = runs.map(({ customerId }) => customerId);
      followed.push(customerIds);
      return await Promise.resolve(
        customerIds.map((customerId) => ({
          customerId,
          state: ended.has(customerId) ? ('billed' as const) : ('running' as const),
          bytes: '9007199254740993',
        })),
      );
    },
  };
  return { activities, prepared, completed, failed, followed, most: () => most };
}

const names = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, index) => `cus_${prefix}${index}`);

async function startBilling(client: Client, taskQueue: string, input: BillStorageInput) {
  const run = { taskQueue, workflowId: `bill-storage/${taskQueue}` };
  return await startAs(client, run, 'billStorage', { month, ...input });
}

const tell = async (client: Client, customerId: string) => {
  const id = workflowIds.billCustomerStorage(customerId, month);
  const identifier = `storage-${customerId}-${month}`;
  await client.workflow
    .getHandle(id)
    .signal(signalNames.usageSettled, { identifier, state: 'delivered' });
};

describe('SB9 the window', () => {
  test('is never above its size, and never idle while somebody waits', async () => {
    const ids = names(9, 'w');
    const book = bills(ids, () => true);
    await withWorker('window', book.activities, async (client) => {
      const handle = await startBilling(client, 'window', { window: 3 });
      for (let told = 0; told < ids.length; told += 1) {
        const expected = Math.min(ids.length, told + 3);
        await expect.poll(() => book.prepared.length, { timeout: 300_000 }).toBe(expected);
        const running = Math.min(3, ids.length - told);
        const progress = async () => await handle.query<BillStorageProgress>(queryNames.progress);
        await expect
          .poll(async () => await progress(), { timeout: 300_000 })
          .toMatchObject({
            running,
            billed: told,
          });
        await tell(client, book.prepared[told] ?? '');
      }
      expect(await handle.result()).toMatchObject({
        billed: 9,
        failed: 0,
        skipped: 0,
        running: 0,
        bytes: String(9n * 9007199254740993n),
      });
    });
    expect(book.most()).toBe(3);
    expect(book.completed.toSorted()).toEqual(ids.toSorted());
  });

  test('SB14 a terminated child frees its slot, and its bill says so; the others are billed', async () => {
    const ids = names(4, 't');
    const book = bills(ids, () => true);
    await withWorker('terminated', book.activities, async (client) => {
      const handle = await startBilling(client, 'terminated', { window: 2 });
      await expect.poll(() => book.prepared.length, { timeout: 300_000 }).toBe(2);
      const lost = book.prepared[0] ?? '';
      await client.workflow
        .getHandle(workflowIds.billCustomerStorage(lost, month))
        .terminate('by hand');
      await expect.poll(() => book.prepared.length, { timeout: 300_000 }).toBe(3);
      expect(book.failed.map(({ customerId }) => customerId)).toEqual([lost]);
      for (const index of [1, 2]) await tell(client, book.prepared[index] ?? '');
      await expect.poll(() => book.prepared.length, { timeout: 300_000 }).toBe(4);
      await tell(client, book.prepared[3] ?? '');
      expect(await handle.result()).toMatchObject({ billed: 3, failed: 1, skipped: 0 });
      expect(book.completed.toSorted()).toEqual(ids.filter((id) => id !== lost));
    });
  });

  test('going on as new with children still running loses none and doubles none', async () => {
    const ids = names(350, 'n');
    // One in fifty waits through several runs.
    const slow = new Set(ids.filter((_, index) => index % 50 === 0));
    const book = bills(ids, (id) => slow.has(id));
    await withWorker('anew', book.activities, async (client) => {
      const handle = await startBilling(client, 'anew', { window: 12 });
      await expect
        .poll(() => book.completed.length, { timeout: 300_000, interval: 250 })
        .toBe(ids.length - slow.size);
      await expect.poll(() => book.followed.length > 0, { timeout: 300_000 }).toBe(true);
      for (const customerId of slow) await tell(client, customerId);
      expect(await handle.result()).toMatchObject({
        billed: 350,
        failed: 0,
        skipped: 0,
        running: 0,
        bytes: String(350n * 9007199254740993n),
      });
      expect(book.completed.toSorted()).toEqual(ids.toSorted());
      expect(book.prepared.toSorted()).toEqual(ids.toSorted());
      expect(book.most()).toBeLessThanOrEqual(12);
      const runs = await runsOf(client, handle.workflowId, handle.firstExecutionRunId);
      expect(runs.length).toBeGreaterThan(3);
      for (const events of runs) expect(events.length).toBeLessThan(suggestedAt + 100);
    });
  });
});

describe('SB7 what a day costs', () => {
  const doubles = (chunks: number, seen: number[]): Partial<Activities> => ({
    planDay: async () => await Promise.resolve({ chunks, customers: chunks * 1000, failed: 0 }),
    aggregateChunk: async ({ chunk }) => {
      seen.push(chunk);
      return await Promise.resolve({ customers: 1000, bytes: '5', files: 1, failed: [] });
    },
    forgetPlan: async () => {
      await Promise.resolve();
    },
  });
  const startDay = async (client: Client, taskQueue: string) =>
    await startAs(
      client,
      { taskQueue, workflowId: `aggregate-storage/${taskQueue}` },
      'aggregateStorage',
      { day: '2026-02-11' },
    );
  /** A scheduled run is three actions (docs.temporal.io, "Temporal Cloud Actions"). */
  const scheduleActions = 3;

  test('1,000 customers: at most 0.05 actions a customer', async () => {
    await withWorker('cost', doubles(1, []), async (client) => {
      const handle = await startDay(client, 'cost');
      await handle.result();
      const [events = []] = await runsOf(client, handle.workflowId, handle.firstExecutionRunId);
      const actions = totalActions(countActions(events)) + scheduleActions;
      expect(actions).toBe(7);
      expect(actions / 1000).toBeLessThanOrEqual(0.05);
    });
  });

  test('120,000 customers in 120 chunks: goes on as new, each chunk once, short histories', async () => {
    const seen: number[] = [];
    await withWorker('chunks', doubles(120, seen), async (client) => {
      const handle = await startDay(client, 'chunks');
      expect(await handle.result()).toMatchObject({
        customers: 120_000,
        bytes: '600',
        failed: 0,
        chunksDone: 120,
        chunks: 120,
      });
      expect(seen).toEqual(Array.from({ length: 120 }, (_, chunk) => chunk));
      const runs = await runsOf(client, handle.workflowId, handle.firstExecutionRunId);
      expect(runs.length).toBeGreaterThan(1);
      for (const events of runs) expect(events.length).toBeLessThan(suggestedAt + 20);
      const actions = runs.reduce((sum, events) => sum + totalActions(countActions(events)), 0);
      expect((actions + scheduleActions) / 120_000).toBeLessThan(0.002);
    });
  });
});
