/** Part 1: many small jobs at once, beside Temporal alone and the objects alone. */
import { createEngine } from '../../../engine/engine.ts';
import type { BenchmarkContext, Figure, Section } from '../support/benchmark.ts';
import { concurrently } from '../support/concurrently.ts';
import { startCounting } from '../support/counting-proxy.ts';
import { describeCalls } from '../support/describe-calls.ts';
import { countRunning, listClosed } from '../support/executions.ts';
import { measureCpu } from '../support/machine.ts';
import type { BenchStack } from '../support/stack.ts';
import { waitUntilNoneLeft } from '../support/wait.ts';
import { describeCpu, measureTemporalCost } from './costs.ts';
import { measureEmptyJobs } from './empty-jobs.ts';
import { measureObjects } from './objects-alone.ts';
import type { FileMeteringOptions, Processed } from './options.ts';
import { createSmallFiles, orders } from './small-files.ts';
import type { SmallJob } from './small-files.ts';

/** Before anything is measured: connections, caches, compiled code. */
const warmUpJobs = 20;
/** Run once more with every call counted, apart from what is timed. */
const countedJobs = 50;
const stuckAfterMs = 60_000;

export async function measureJobs(
  context: BenchmarkContext,
  stack: BenchStack,
  options: FileMeteringOptions,
  processed: Processed,
): Promise<Section[]> {
  const { progress } = context;
  const warmUp = orders('warm-up', { ...options, jobs: warmUpJobs });
  const jobs = orders('job', options);
  progress(`writing ${jobs.length} files of ${options.fileBytes} bytes …`);
  await createSmallFiles(context, stack, [...warmUp, ...jobs], options.fileBytes);
  const worker = await stack.startWorker();
  progress('warming up …');
  await runJobs(context, stack, warmUp, options.concurrency);
  progress(`running ${jobs.length} jobs …`);
  const cpu = measureCpu({ ...stack.pids, worker: worker.pid, 'this script': process.pid });
  const timed = await runJobs(context, stack, jobs, options.concurrency);
  const cpuSeconds = cpu();
  addProcessed(processed, [...warmUp, ...jobs]);
  const moments = await readMoments(stack, jobs);
  const cost = await measureTemporalCost(stack, timed.startedMs, jobs.length);
  await worker.stop();

  const empty = await measureEmptyJobs(context, stack, options);
  const objects = await measureObjects(context, stack, jobs);
  const calls = await countCalls(context, stack, options, processed);
  const ceilings = { temporal: empty.perSecond, objects };
  const cpuFigures = describeCpu(jobs.length, cpuSeconds, empty.cpuSeconds);
  return [
    { title: 'jobs', figures: describeRates(jobs.length, { ...timed, ...moments }, ceilings) },
    { title: 'what a job costs', figures: [...cost, ...cpuFigures] },
    calls,
  ];
}

async function countCalls(
  context: BenchmarkContext,
  stack: BenchStack,
  options: FileMeteringOptions,
  processed: Processed,
): Promise<Section> {
  const jobs = orders('counted', { ...options, jobs: countedJobs });
  context.progress(`counting the calls of ${jobs.length} jobs …`);
  await createSmallFiles(context, stack, jobs, options.fileBytes);
  const { env, count } = await startCounting(context, stack);
  const worker = await stack.startWorker(env);
  await runJobs(context, stack, jobs, options.concurrency);
  await worker.stop();
  addProcessed(processed, jobs);
  return describeCalls('job', jobs.length, count);
}

function addProcessed(processed: Processed, jobs: readonly SmallJob[]): void {
  for (const { customerId, bytes } of jobs) {
    processed.set(customerId, (processed.get(customerId) ?? 0n) + BigInt(bytes));
  }
}

interface Timed {
  startedMs: number;
  allStartedMs: number;
  closedMs: number;
}

interface Moments {
  completedMs: number;
  deliveredMs: number;
}

function describeRates(
  jobs: number,
  timed: Timed & Moments,
  ceilings: { temporal: number; objects: number },
): Figure[] {
  const temporal = { name: 'Temporal alone, an empty activity', value: ceilings.temporal };
  const objects = { name: 'objects alone: GET, gzip, PUT', value: ceilings.objects };
  const rate = (name: string, untilMs: number): Figure => ({
    name,
    value: (jobs * 1000) / (untilMs - timed.startedMs),
    unit: 'per second',
  });
  return [
    rate('started', timed.allStartedMs),
    { ...rate('completed', timed.completedMs), beside: temporal },
    { ...rate('completed', timed.completedMs), beside: objects },
    { ...rate('delivered to Stripe', timed.deliveredMs), beside: temporal },
    { ...rate('workflows closed', timed.closedMs), beside: temporal },
  ];
}

/** Starts them open-throttle, and waits until Stripe has all and every workflow has closed. */
async function runJobs(
  context: BenchmarkContext,
  { temporal, config, stripe }: BenchStack,
  jobs: readonly SmallJob[],
  concurrency: number,
): Promise<Timed> {
  const countEvents = async (): Promise<number> => (await stripe.wait({ timeoutMs: 0 })).events;
  const wanted = (await countEvents()) + jobs.length;
  const startedMs = Date.now();
  await concurrently(jobs, concurrency, context.signal, async (job) => {
    const { processingId, customerId, file } = job;
    const request = { processingId, customerId, files: [file] };
    await createEngine(temporal, { taskQueue: config.TASK_QUEUE }).startProcessing(request);
  });
  const allStartedMs = Date.now();
  await waitUntilNoneLeft(context, {
    what: 'meter events left to come to Stripe',
    everyMs: 200,
    stuckAfterMs,
    left: async () => wanted - (await countEvents()),
  });
  for (const type of ['processFiles', 'deliverUsage']) {
    await waitUntilNoneLeft(context, {
      what: `${type} still running`,
      everyMs: 50,
      stuckAfterMs,
      left: async () => await countRunning(temporal, type),
    });
  }
  const closed = await listClosed(temporal, 'processFiles', startedMs);
  return { startedMs, allStartedMs, closedMs: Math.max(...closed.map(({ closeMs }) => closeMs)) };
}

/** The last completion and delivery, by the tables' own times: nobody had to poll for them. */
async function readMoments(stack: BenchStack, jobs: readonly SmallJob[]): Promise<Moments> {
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
