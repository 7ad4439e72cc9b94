/** One month's bills by a fresh worker process, and as many children that do nothing. */
import { addActions, totalActions } from '../support/actions.ts';
import type { BenchmarkContext } from '../support/benchmark.ts';
import { actionsOf, countRunning, listClosed } from '../support/executions.ts';
import type { Execution } from '../support/executions.ts';
import { measureCpu, readMemory } from '../support/machine.ts';
import { startPeerWorker } from '../support/peer-worker.ts';
import type { BenchStack } from '../support/stack.ts';
import { waitUntilCompleted, waitUntilNoneLeft } from '../support/wait.ts';

/** Children whose histories are fetched: they are all alike. */
const sampledChildren = 20;
const stuckAfterMs = 60_000;

export interface MonthOrder {
  month: string;
  customers: number;
  window: number;
  /** Of the worker, above all its tables and its rate. */
  env: Record<string, string>;
}

export interface MonthRun {
  seconds: number;
  peakBytes: number;
  actions: number;
  events: number;
  /** Runs of billStorage, each going on as new from the one before. */
  runs: number;
  longestHistory: number;
  cpuSeconds: Record<string, number>;
}

export async function runMonth(
  context: BenchmarkContext,
  stack: BenchStack,
  { month, customers, window, env }: MonthOrder,
): Promise<MonthRun> {
  const { temporal, config } = stack;
  const worker = await stack.startWorker(env);
  const cpu = measureCpu({ ...stack.pids, worker: worker.pid });
  const sinceMs = Date.now();
  const workflowId = `bench-bill-storage/${env['TABLE_PREFIX'] ?? ''}`;
  const started = await temporal.workflow.start('billStorage', {
    taskQueue: config.TASK_QUEUE,
    workflowId,
    args: [{ month, window }],
  });
  await waitUntilCompleted(context, temporal.workflow.getHandle(workflowId));
  const cpuSeconds = cpu();
  for (const type of ['billCustomerStorage', 'deliverUsage', 'billStorage']) {
    await waitUntilNoneLeft(context, {
      what: `${type} still running`,
      everyMs: 100,
      stuckAfterMs,
      left: async () => await countRunning(temporal, type),
    });
  }
  const { peakBytes } = readMemory(worker.pid);
  await worker.stop();
  const first = temporal.workflow.getHandle(workflowId, started.firstExecutionRunId);
  const { startTime } = await first.describe();
  const { closeTime } = await temporal.workflow.getHandle(workflowId).describe();
  return {
    seconds: ((closeTime?.getTime() ?? Number.NaN) - startTime.getTime()) / 1000,
    peakBytes,
    cpuSeconds,
    ...(await countCost(stack, sinceMs, customers)),
  };
}

async function countCost({ temporal }: BenchStack, sinceMs: number, customers: number) {
  const parents = await listClosed(temporal, 'billStorage', sinceMs);
  const children = await listClosed(temporal, 'billCustomerStorage', sinceMs);
  const deliveries = await listClosed(temporal, 'deliverUsage', sinceMs);
  if (children.length !== customers) {
    throw new Error(`${children.length} children for ${customers} customers`);
  }
  const sample = children.slice(0, sampledChildren);
  const perChild = totalActions(addActions(await actionsOf(temporal, sample))) / sample.length;
  const others = addActions(await actionsOf(temporal, [...parents, ...deliveries]));
  const eventsOf = (of: readonly Execution[]): number =>
    of.reduce((sum, { events }) => sum + events, 0);
  return {
    actions: totalActions(others) + perChild * children.length,
    events: eventsOf(parents) + eventsOf(children) + eventsOf(deliveries),
    runs: parents.length,
    longestHistory: Math.max(...[...parents, ...deliveries].map(({ events }) => events)),
  };
}

/** Children per second. */
export async function runEmptyChildren(
  context: BenchmarkContext,
  stack: BenchStack,
  order: { children: number; window: number },
): Promise<number> {
  const taskQueue = 'empty-children';
  const script = 'test/bench/support/empty/worker.ts';
  const worker = await startPeerWorker(context, stack, { script, taskQueue });
  const started = await stack.temporal.workflow.start('emptyChildren', {
    taskQueue,
    workflowId: `empty-children/${order.children}`,
    args: [{ left: order.children, window: order.window }],
  });
  await waitUntilCompleted(context, stack.temporal.workflow.getHandle(started.workflowId));
  await worker.stop();
  const { workflowId, firstExecutionRunId } = started;
  const first = await stack.temporal.workflow.getHandle(workflowId, firstExecutionRunId).describe();
  const last = await stack.temporal.workflow.getHandle(workflowId).describe();
  const tookMs = (last.closeTime?.getTime() ?? Number.NaN) - first.startTime.getTime();
  return (order.children * 1000) / tookMs;
}
