/** The runs of `deliverUsage` on a real server: what is in flight when one goes on as new, and what it leaves. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import { expect, test } from 'vitest';
import type { Activities, StripeActivities } from '../../activities/index.ts';
import type { QueuedDelivery } from '../../domain/delivery-queue.ts';
import type { DeliverUsageInput, DeliveryProgress } from '../../domain/delivery-runs.ts';
import { deliveryTaskQueue, stripeTaskQueue } from '../../domain/temporal-names.ts';
import { queryNames, signalNames } from '../../engine/contract.ts';
import { useEarlyRuns } from '../support/early-runs.ts';
import { runsOf } from '../support/runs-of.ts';
import { startAs } from '../support/start.ts';

/** A record that is sent is up to six events of history: a run sends about ten. */
const { withWorkers } = useEarlyRuns(60);
const patience = { timeout: 300_000, interval: 50 };

/** Records of one lane, due at once. */
const lane = (name: string, count: number): QueuedDelivery[] =>
  Array.from({ length: count }, (_, index) => ({
    identifier: `${name}-${index}`,
    lane: name,
    dueAtMs: 0,
  }));

/**
 * Doubles that note each call once, however often Temporal repeats it, and any that begins while another of
 * its lane is under way.
 */
function watched(send: (identifier: string) => Promise<void>) {
  const calls = new Map<string, string>();
  const underWay = new Map<string, string>();
  const beside: string[] = [];
  const sendUsage: StripeActivities['sendUsage'] = async ({ identifier }) => {
    const { activityId, workflowExecution } = Context.current().info;
    const call = `${workflowExecution?.runId}/${activityId}`;
    const [of = ''] = identifier.split('-');
    if ((underWay.get(of) ?? call) !== call) beside.push(identifier);
    underWay.set(of, call);
    calls.set(call, identifier);
    try {
      await send(identifier);
    } finally {
      if (underWay.get(of) === call) underWay.delete(of);
    }
    return { identifier, state: 'delivered' };
  };
  const deferUsage: Activities['deferUsage'] = async ({ halted }) =>
    await Promise.resolve({ again: true, dueInMs: halted ? 300_000 : 1 });
  return { sendUsage, deferUsage, sent: () => [...calls.values()].toSorted(), beside };
}

interface Shard {
  arrive: (identifier: string) => Promise<void>;
  progress: () => Promise<DeliveryProgress>;
  isFirstRun: () => Promise<boolean>;
  runs: () => ReturnType<typeof runsOf>;
  result: () => Promise<unknown>;
}

async function withShard(
  taskQueue: string,
  doubles: Pick<ReturnType<typeof watched>, 'sendUsage' | 'deferUsage'> &
    Partial<Pick<Activities, 'listUndelivered'>>,
  input: Omit<DeliverUsageInput, 'shard'>,
  story: (shard: Shard) => Promise<void>,
): Promise<void> {
  const { sendUsage, ...others } = doubles;
  const queues = [
    { taskQueue, activities: {} },
    { taskQueue: stripeTaskQueue(taskQueue), activities: { sendUsage } },
    { taskQueue: deliveryTaskQueue(taskQueue), activities: others },
  ] as const;
  await withWorkers(queues, async ({ client }) => {
    const workflowId = `deliver-usage/${taskQueue}`;
    const started = await startAs(client, { taskQueue, workflowId }, 'deliverUsage', {
      shard: 0,
      ...input,
    });
    const { firstExecutionRunId: first } = started;
    const current = client.workflow.getHandle(workflowId);
    await story({
      arrive: async (identifier) => {
        const arrival = { identifier, lane: identifier.split('-')[0] ?? '' };
        await current.signal(signalNames.usageArrived, arrival);
      },
      progress: async () => await current.query<DeliveryProgress>(queryNames.progress),
      isFirstRun: async () => (await current.describe()).runId === first,
      runs: async () => await runsOf(client, workflowId, first),
      result: async () => await started.result(),
    });
  });
}

/** Resolves when it is opened. */
function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}

test('DL4 DL5 going on as new with calls in flight: none is lost, none made twice or beside another', async () => {
  const { open, opened } = gate();
  let failures = 0;
  const doubles = watched(async (identifier) => {
    if (identifier === 'held-0' || identifier === 'failing-0') await opened;
    if (identifier !== 'failing-0' || failures > 0) return;
    failures += 1;
    throw ApplicationFailure.nonRetryable('Stripe HTTP 500', 'Outside');
  });
  const carried = [...lane('held', 2), ...lane('failing', 2), ...lane('quick', 40)];
  await withShard('in-flight', doubles, { carried }, async (shard) => {
    // The quick lane has made the run long; it rests, and only what is held is under way.
    const rests = async () => {
      if (!(await shard.isFirstRun())) return true;
      const { inFlight, waiting } = await shard.progress();
      return inFlight === 2 && waiting > 10;
    };
    await expect.poll(rests, patience).toBe(true);
    await shard.arrive('held-late');
    open();
    const sent = carried.length + 1;
    expect(await shard.result()).toEqual({ delivered: sent, laidAside: 0, putOff: 1 });
    expect((await shard.runs()).length).toBeGreaterThan(2);
  });
  expect(doubles.beside).toEqual([]);
  const once = [...carried.map(({ identifier }) => identifier), 'held-late'];
  expect(doubles.sent()).toEqual([...once, 'failing-0'].toSorted());
});

test('DL5 a sweep that is under way when a run goes on as new is begun anew by the next', async () => {
  const { open, opened } = gate();
  const doubles = watched(async () => {
    await Promise.resolve();
  });
  const listing = new Set<string>();
  const listUndelivered: Activities['listUndelivered'] = async () => {
    listing.add(Context.current().info.workflowExecution?.runId ?? '');
    if (listing.size > 1) open();
    await opened;
    const isSent = doubles.sent().includes('left-0');
    const left = { identifier: 'left-0', lane: 'left', dueInMs: 1 };
    return { waiting: isSent ? [] : [left], more: false };
  };
  const input = { carried: lane('quick', 20), sweep: true };
  await withShard('sweeping', { ...doubles, listUndelivered }, input, async (shard) => {
    expect(await shard.result()).toEqual({ delivered: 21, laidAside: 0, putOff: 0 });
  });
  expect(doubles.sent().filter((identifier) => identifier === 'left-0')).toEqual(['left-0']);
});

test('DL3 a key that is refused as a run goes on as new halts the next run too', async () => {
  const { open, opened } = gate();
  const doubles = watched(async (identifier) => {
    if (identifier !== 'held-0') return;
    await opened;
    throw ApplicationFailure.nonRetryable('Stripe HTTP 401', 'DeliveryHalted');
  });
  const carried = [...lane('held', 1), ...lane('quick', 40)];
  await withShard('halted', doubles, { carried }, async (shard) => {
    await expect.poll(async () => (await shard.progress()).inFlight, patience).toBe(1);
    const sent = doubles.sent();
    open();
    await expect.poll(shard.isFirstRun, patience).toBe(false);
    const halted = { inFlight: 0, haltedUntil: expect.any(String) as string };
    await expect.poll(shard.progress, patience).toMatchObject(halted);
    expect(doubles.sent()).toEqual(sent);
  });
});
