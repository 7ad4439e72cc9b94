/** A worker process for `emptyJob`, with the settings of the real one. */
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { parseConfig, readEnvironment } from '../../../../platform/config.ts';
import { serveHealth } from '../../../../platform/health.ts';
import { createMetrics } from '../../../../platform/metrics.ts';
import { installRuntime, mainQueueSettings } from '../../../../worker/run.ts';
import * as activities from './activities.ts';

installRuntime((_level, message) => {
  process.stderr.write(`${message}\n`);
});
const config = parseConfig(readEnvironment());
const connection = await NativeConnection.connect({ address: config.TEMPORAL_ADDRESS });
const worker = await Worker.create({
  connection,
  namespace: config.TEMPORAL_NAMESPACE,
  taskQueue: config.TASK_QUEUE,
  workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)),
  activities,
  ...mainQueueSettings,
});
const health = await serveHealth(
  config.HOST,
  config.WORKER_HEALTH_PORT,
  () => worker.getState() === 'RUNNING',
  createMetrics().registry,
);
await worker.run();
health.close();
await connection.close();
