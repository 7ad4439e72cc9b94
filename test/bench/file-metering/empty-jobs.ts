/** The ceiling of part 1: as many workflows of one empty activity, on the same server and store. */
import { answersOk } from '../../../dev/stack/probe.ts';
import { startNodeProcess } from '../../../dev/stack/node-process.ts';
import type { FileMeteringOptions } from './options.ts';
import type { BenchmarkContext } from '../support/benchmark.ts';
import { concurrently } from '../support/concurrently.ts';
import { countRunning, listClosed } from '../support/executions.ts';
import type { BenchStack } from '../support/stack.ts';
import { waitForAll } from '../support/wait.ts';

const taskQueue = 'empty';
const workflowType = 'emptyJob';
const warmUpJobs = 20;

/** Workflows per second, from the first start to the last close. */
export async function measureEmptyJobs(
  context: BenchmarkContext,
  stack: BenchStack,
  { jobs, concurrency }: FileMeteringOptions,
): Promise<number> {
  const { dataDir, signal, progress, onEnd } = context;
  progress(`running ${jobs} workflows of one empty activity …`);
  const env = { ...stack.env, TASK_QUEUE: taskQueue };
  const script = 'test/bench/support/empty/worker.ts';
  const worker = await startNodeProcess(
    'empty-worker',
    script,
    { dataDir, signal, env },
    (port) => ({
      args: [],
      env: { WORKER_HEALTH_PORT: String(port) },
      probe: async () => await answersOk(`http://127.0.0.1:${port}/healthz`),
    }),
  );
  onEnd('empty-worker', async () => await worker.stop());
  const run = async (kind: string, count: number): Promise<void> => {
    const ids = Array.from({ length: count }, (_, index) => `empty/${kind}-${index}`);
    await concurrently(ids, concurrency, signal, async (workflowId) => {
      await stack.temporal.workflow.start(workflowType, { taskQueue, workflowId, args: [] });
    });
    await waitForAll(context, {
      what: 'empty workflows (counted backwards)',
      total: 0,
      everyMs: 50,
      stuckAfterMs: 30_000,
      done: async () => -(await countRunning(stack.temporal, workflowType)),
    });
  };
  await run('warm-up', warmUpJobs);
  const startedMs = Date.now();
  await run('job', jobs);
  const closed = await listClosed(stack.temporal, workflowType, startedMs);
  if (closed.length !== jobs) throw new Error(`${closed.length} of ${jobs} empty workflows closed`);
  await worker.stop();
  return (jobs * 1000) / (Math.max(...closed.map(({ closeMs }) => closeMs)) - startedMs);
}
