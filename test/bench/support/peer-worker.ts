/** A worker process for a peer's workflows, with the settings of the real one. */
import { NativeConnection, Worker } from '@temporalio/worker';
import { answersOk } from '../../../dev/stack/probe.ts';
import { startNodeProcess } from '../../../dev/stack/node-process.ts';
import type { RunningServer } from '../../../dev/stack/types.ts';
import { parseConfig, readEnvironment } from '../../../platform/config.ts';
import { serveHealth } from '../../../platform/health.ts';
import { createMetrics } from '../../../platform/metrics.ts';
import { installRuntime, mainQueueSettings } from '../../../worker/run.ts';
import type { BenchmarkContext } from './benchmark.ts';
import type { BenchStack } from './stack.ts';

/** Starts a script that calls `runPeerWorker`, on a task queue of its own. */
export async function startPeerWorker(
  { dataDir, signal, onEnd }: BenchmarkContext,
  stack: BenchStack,
  { script, taskQueue }: { script: string; taskQueue: string },
): Promise<RunningServer> {
  const env = { ...stack.env, TASK_QUEUE: taskQueue };
  const name = `${taskQueue}-worker`;
  const worker = await startNodeProcess(name, script, { dataDir, signal, env }, (port) => ({
    args: [],
    env: { WORKER_HEALTH_PORT: String(port) },
    probe: async () => await answersOk(`http://127.0.0.1:${port}/healthz`),
  }));
  onEnd(name, async () => await worker.stop());
  return worker;
}

export async function runPeerWorker(workflowsPath: string, activities: object): Promise<void> {
  installRuntime((_level, message) => {
    process.stderr.write(`${message}\n`);
  });
  const config = parseConfig(readEnvironment());
  const connection = await NativeConnection.connect({ address: config.TEMPORAL_ADDRESS });
  const worker = await Worker.create({
    connection,
    namespace: config.TEMPORAL_NAMESPACE,
    taskQueue: config.TASK_QUEUE,
    workflowsPath,
    activities,
    ...mainQueueSettings,
  });
  const closeHealth = await serveHealth(
    config.HOST,
    config.WORKER_HEALTH_PORT,
    () => worker.getState() === 'RUNNING',
    [async () => await createMetrics().registry.metrics()],
  );
  await worker.run();
  await closeHealth();
  await connection.close();
}
