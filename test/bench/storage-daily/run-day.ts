/** One day of `aggregateStorage` by a fresh worker process, and by the peers. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { CHECKOUT, nodeArguments } from '../../../dev/stack/node-process.ts';
import { baseEnvironment, developmentEnvironment } from '../../../dev/environment.ts';
import { createEngine } from '../../../engine/engine.ts';
import { countActions, countHeartbeats, totalActions } from '../support/actions.ts';
import type { BenchmarkContext } from '../support/benchmark.ts';
import { countRunning, listClosed } from '../support/executions.ts';
import { measureCpu, readMemory } from '../support/machine.ts';
import { startPeerWorker } from '../support/peer-worker.ts';
import type { BenchStack } from '../support/stack.ts';
import { waitUntilCompleted, waitUntilNoneLeft } from '../support/wait.ts';

const run = promisify(execFile);

export interface DayRun {
  seconds: number;
  peakBytes: number;
  actions: number;
  events: number;
  cpuSeconds: Record<string, number>;
}

/** Started by the same call as `durabill storage aggregate`; counted from its start to its close. */
export async function runProductDay(
  context: BenchmarkContext,
  stack: BenchStack,
  day: string,
  env: Record<string, string> = {},
): Promise<DayRun> {
  const worker = await stack.startWorker(env);
  const cpu = measureCpu({ ...stack.pids, worker: worker.pid });
  const workflowId = await createEngine(stack.temporal, {
    taskQueue: stack.config.TASK_QUEUE,
  }).startDay({ day });
  const handle = stack.temporal.workflow.getHandle(workflowId);
  await waitUntilCompleted(context, handle);
  const cpuSeconds = cpu();
  const { peakBytes } = readMemory(worker.pid);
  await worker.stop();
  const { startTime, closeTime, historyLength } = await handle.describe();
  const { events } = await handle.fetchHistory();
  const history = events ?? [];
  return {
    seconds: ((closeTime?.getTime() ?? Number.NaN) - startTime.getTime()) / 1000,
    peakBytes,
    actions: totalActions(countActions(history)) + countHeartbeats(history),
    events: historyLength,
    cpuSeconds,
  };
}

const plainSchema = z.object({ seconds: z.number(), peakBytes: z.number() });

export async function runPlainDay(
  { dataDir, signal }: BenchmarkContext,
  stack: BenchStack,
  day: string,
): Promise<{ seconds: number; peakBytes: number }> {
  const answerFile = path.join(dataDir, `plain-${day}.json`);
  const script = nodeArguments('test/bench/storage-daily/plain/main.ts');
  const env = { ...baseEnvironment(developmentEnvironment()), ...stack.env };
  await run(process.execPath, [...script, day, answerFile], { cwd: CHECKOUT, env, signal });
  return plainSchema.parse(JSON.parse(await readFile(answerFile, 'utf8')));
}

/** A child workflow for each customer: what the daily run would cost without chunks. */
export async function runNaiveDay(
  context: BenchmarkContext,
  stack: BenchStack,
  day: string,
  customerIds: readonly string[],
): Promise<{ seconds: number; actions: number; events: number }> {
  const taskQueue = 'naive';
  const script = 'test/bench/storage-daily/naive/worker.ts';
  const worker = await startPeerWorker(context, stack, { script, taskQueue });
  const sinceMs = Date.now();
  const handle = await stack.temporal.workflow.start('naiveDay', {
    taskQueue,
    workflowId: `naive/${day}`,
    args: [{ day, customerIds }],
  });
  await waitUntilCompleted(context, handle);
  await waitUntilNoneLeft(context, {
    what: 'children that visibility still calls running',
    everyMs: 100,
    stuckAfterMs: 30_000,
    left: async () => await countRunning(stack.temporal, 'naiveCustomer'),
  });
  await worker.stop();
  const { startTime, closeTime, historyLength } = await handle.describe();
  const children = await listClosed(stack.temporal, 'naiveCustomer', sinceMs);
  const [sample] = children;
  if (sample === undefined) throw new Error('the naive day had no children');
  const child = await stack.temporal.workflow.getHandle(sample.workflowId).fetchHistory();
  const parent = await handle.fetchHistory();
  const perChild = totalActions(countActions(child.events ?? []));
  return {
    seconds: ((closeTime?.getTime() ?? Number.NaN) - startTime.getTime()) / 1000,
    actions: totalActions(countActions(parent.events ?? [])) + perChild * children.length,
    events: historyLength + children.reduce((sum, { events }) => sum + events, 0),
  };
}
