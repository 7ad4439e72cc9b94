/** Part 1: many small jobs at once, beside Temporal alone and the objects alone. */
import { startProcessing } from '../../../platform/temporal.ts';
import type { FileMeteringOptions, Processed } from './options.ts';
import { addActions, totalActions } from '../support/actions.ts';
import type { ActionCount } from '../support/actions.ts';
import type { BenchmarkContext, Figure, Section } from '../support/benchmark.ts';
import { concurrently } from '../support/concurrently.ts';
import { actionsOf, countRunning, listClosed } from '../support/executions.ts';
import { measureCpu } from '../support/machine.ts';
import type { BenchStack } from '../support/stack.ts';
import { waitForAll } from '../support/wait.ts';
import { measureEmptyJobs } from './empty-jobs.ts';
import { measureObjects } from './objects-alone.ts';
import { createSmallFiles, orders } from './small-files.ts';
import type { SmallJob } from './small-files.ts';

/** Before anything is measured: connections, caches, compiled code. */
const warmUpJobs = 20;
/** Histories fetched to count the actions of one job, which is the same for all. */
const sampledJobs = 20;
const stuckAfterMs = 60_000;

export async function measureJobs(
  context: BenchmarkContext,
  stack: BenchStack,
  options: FileMeteringOptions,
  processed: Processed,
): Promise<Section[]> {
  const warmUp = orders('warm-up', { ...options, jobs: warmUpJobs });
  const jobs = orders('job', options);
  context.progress(`writing ${jobs.length} files of ${options.fileBytes} bytes …`);
  await createSmallFiles(context, stack, [...warmUp, ...jobs], options.fileBytes);
  const worker = await stack.startWorker();
  context.progress('warming up …');
  await runJobs(context, stack, warmUp, options.concurrency);
  context.progress(`running ${jobs.length} jobs …`);
  const cpu = measureCpu({ ...stack.pids, worker: worker.pid, 'this script': process.pid });
  const timed = await runJobs(context, stack, jobs, options.concurrency);
  const cpuSeconds = cpu();
  for (const { customerId, bytes } of [...warmUp, ...jobs]) {
    processed.set(customerId, (processed.get(customerId) ?? 0n) + BigInt(bytes));
  }
  const cost = await measureCost(stack, timed.startedMs, jobs.length);
  await worker.stop();

  const empty = await measureEmptyJobs(context, stack, options);
  const objects = await measureObjects(context, stack, jobs);
  const rates = rateFigures(jobs.length, timed, empty, objects);
  const cpuFigures = Object.entries(cpuSeconds).map(([name, seconds]): Figure => ({
    name: `CPU of ${name}, per job`,
    value: (seconds * 1000) / jobs.length,
    unit: 'ms',
  }));
  return [
    { title: 'jobs per second', figures: rates },
    { title: 'what a job costs', figures: [...cost, ...cpuFigures] },
  ];
}

interface Timed {
  startedMs: number;
  allStartedMs: number;
  completedMs: number;
  deliveredMs: number;
  closedMs: number;
}

function rateFigures(jobs: number, timed: Timed, empty: number, objects: number): Figure[] {
  const rate = (untilMs: number): number => (jobs * 1000) / (untilMs - timed.startedMs);
  const temporalAlone = { name: 'Temporal alone, an empty activity', value: empty };
  const unit = 'per second';
  return [
    { name: 'started', value: rate(timed.allStartedMs), unit },
    { name: 'completed', value: rate(timed.completedMs), unit, beside: temporalAlone },
    { name: 'delivered to Stripe', value: rate(timed.deliveredMs), unit, beside: temporalAlone },
    { name: 'workflows closed', value: rate(timed.closedMs), unit, beside: temporalAlone },
    {
      name: 'completed',
      value: rate(timed.completedMs),
      unit,
      beside: { name: 'objects alone: GET, gzip, PUT', value: objects },
    },
  ];
}

/** Starts them open-throttle; the moments come from the tables' own times, so that nobody polls. */
async function runJobs(
  context: BenchmarkContext,
  stack: BenchStack,
  jobs: readonly SmallJob[],
  concurrency: number,
): Promise<Timed> {
  const delivered = async (): Promise<number> => (await stack.stripe.wait({ timeoutMs: 0 })).events;
  const before = await delivered();
  const startedMs = Date.now();
  await concurrently(
    jobs,
    concurrency,
    context.signal,
    async ({ processingId, customerId, file }) => {
      const request = { processingId, customerId, files: [file] };
      await startProcessing(stack.temporal, stack.config.TASK_QUEUE, request);
    },
  );
  const allStartedMs = Date.now();
  await waitForAll(context, {
    what: 'meter events at Stripe',
    total: jobs.length,
    everyMs: 100,
    stuckAfterMs,
    done: async () => (await delivered()) - before,
  });
  for (const type of ['processFiles', 'deliverUsage']) {
    await waitForAll(context, {
      what: `${type} closed (counted backwards)`,
      total: 0,
      everyMs: 50,
      stuckAfterMs,
      done: async () => -(await countRunning(stack.temporal, type)),
    });
  }
  const closed = await listClosed(stack.temporal, 'processFiles', startedMs);
  const closedMs = Math.max(...closed.map(({ closeMs }) => closeMs));
  return { startedMs, allStartedMs, closedMs, ...(await readMoments(stack, jobs)) };
}

async function readMoments(
  stack: BenchStack,
  jobs: readonly SmallJob[],
): Promise<{ completedMs: number; deliveredMs: number }> {
  let completedMs = 0;
  let deliveredMs = 0;
  for (const { processingId } of jobs) {
    const row = await stack.processings.get(processingId);
    const usage = await stack.ledger.get(processingId);
    if (row?.completedAt === undefined || usage?.deliveredAt === undefined) {
      throw new Error(`${processingId}: ${row?.status ?? 'no row'}, ${usage?.state ?? 'no usage'}`);
    }
    completedMs = Math.max(completedMs, Date.parse(row.completedAt));
    deliveredMs = Math.max(deliveredMs, Date.parse(usage.deliveredAt));
  }
  return { completedMs, deliveredMs };
}

/** Events and actions per job, with its share of the deliveries' workflows. */
async function measureCost(stack: BenchStack, sinceMs: number, jobs: number): Promise<Figure[]> {
  const processings = await listClosed(stack.temporal, 'processFiles', sinceMs);
  const deliveries = await listClosed(stack.temporal, 'deliverUsage', sinceMs);
  const events = (of: { events: number }[]): number =>
    of.reduce((sum, execution) => sum + execution.events, 0) / jobs;
  const sample = processings.slice(0, sampledJobs);
  const ofJobs = addActions(await actionsOf(stack.temporal, sample));
  const ofDeliveries = addActions(await actionsOf(stack.temporal, deliveries));
  const perJob = (kind: keyof ActionCount): number =>
    ofJobs[kind] / sample.length + ofDeliveries[kind] / jobs;
  const count = (name: string, value: number): Figure => ({ name, value, unit: 'count' });
  const all = totalActions(ofJobs) / sample.length + totalActions(ofDeliveries) / jobs;
  return [
    count('events in the history of a job', events(processings)),
    count('events in deliverUsage, per job', events(deliveries)),
    count('runs of deliverUsage in all', deliveries.length),
    count('Temporal actions per job', all),
    count('  workflow starts', perJob('workflows')),
    count('  activities and retries', perJob('activities')),
    count('  signals', perJob('signals')),
    count('  timers', perJob('timers')),
    count('  tasks with local activities', perJob('localActivities')),
    count('  search attributes set', perJob('searchAttributes')),
  ];
}
