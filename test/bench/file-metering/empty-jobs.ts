/** The ceiling of part 1: as many workflows of one empty activity, on the same server and store. */
import type { FileMeteringOptions } from './options.ts';
import type { BenchmarkContext } from '../support/benchmark.ts';
import { concurrently } from '../support/concurrently.ts';
import { countRunning, listClosed } from '../support/executions.ts';
import { measureCpu } from '../support/machine.ts';
import { startPeerWorker } from '../support/peer-worker.ts';
import { temporalServer } from '../support/stack.ts';
import type { BenchStack } from '../support/stack.ts';
import { waitUntilNoneLeft } from '../support/wait.ts';

const taskQueue = 'empty';
const workflowType = 'emptyJob';
const warmUpJobs = 20;

export interface EmptyJobs {
  /** Workflows, from the first start to the last close. */
  perSecond: number;
  cpuSeconds: Record<string, number>;
}

export async function measureEmptyJobs(
  context: BenchmarkContext,
  stack: BenchStack,
  { jobs, concurrency }: FileMeteringOptions,
): Promise<EmptyJobs> {
  const { signal, progress } = context;
  progress(`running ${jobs} workflows of one empty activity …`);
  const script = 'test/bench/support/empty/worker.ts';
  const worker = await startPeerWorker(context, stack, { script, taskQueue });
  const run = async (kind: string, count: number): Promise<void> => {
    const ids = Array.from({ length: count }, (_, index) => `empty/${kind}-${index}`);
    await concurrently(ids, concurrency, signal, async (workflowId) => {
      await stack.temporal.workflow.start(workflowType, { taskQueue, workflowId, args: [] });
    });
    await waitUntilNoneLeft(context, {
      what: 'empty workflows still running',
      everyMs: 50,
      stuckAfterMs: 60_000,
      left: async () => await countRunning(stack.temporal, workflowType),
    });
  };
  await run('warm-up', warmUpJobs);
  const cpu = measureCpu({ [temporalServer]: stack.pids[temporalServer], worker: worker.pid });
  const startedMs = Date.now();
  await run('job', jobs);
  const cpuSeconds = cpu();
  const closed = await listClosed(stack.temporal, workflowType, startedMs);
  if (closed.length !== jobs) throw new Error(`${closed.length} of ${jobs} empty workflows closed`);
  await worker.stop();
  const tookMs = Math.max(...closed.map(({ closeMs }) => closeMs)) - startedMs;
  return { perSecond: (jobs * 1000) / tookMs, cpuSeconds };
}
