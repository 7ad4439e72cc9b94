/** The worker's process: wires clients → activities → workers, and runs until it is told to stop. */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NativeConnection } from '@temporalio/worker';
import type { Worker } from '@temporalio/worker';
import { gzipProcessor } from '../activities/processor.ts';
import { warnOfMissing } from '../platform/billing-off.ts';
import { createAlertReceiver } from '../platform/alert-receiver.ts';
import { createRaiseAlert } from '../platform/alerts.ts';
import { createDynamoDb } from '../platform/dynamodb.ts';
import { createS3 } from '../platform/s3.ts';
import { createStripe } from '../platform/stripe.ts';
import {
  createClock,
  deliveryRatePerSecond,
  readEnvironment,
  secretsOf,
} from '../platform/config.ts';
import type { Config } from '../platform/config.ts';
import { digestFiles } from '../platform/files-digest.ts';
import { serveHealth } from '../platform/health.ts';
import { loadConfig } from '../platform/load-config.ts';
import { createLogger } from '../platform/logger.ts';
import type { Logger } from '../platform/logger.ts';
import { createMetrics } from '../platform/metrics.ts';
import { applySchedules } from '../platform/schedules.ts';
import { createEngine } from '../engine/engine.ts';
import { createTemporalClient, temporalConnectionOptions } from '../platform/temporal.ts';
import { createTableStore } from '../tables/dynamo.ts';
import { openTables } from '../tables/open.ts';
import { bundleWorkflows } from './bundle.ts';
import { poolSizes } from './connections.ts';
import { concurrencyWith, createWorkers } from './run.ts';
import { installMeasuredRuntime } from './sdk-metrics.ts';

async function main(): Promise<void> {
  const environment = readEnvironment();
  const config = await loadConfig(environment);
  const logger = createLogger('worker', config.LOG_LEVEL, undefined, secretsOf(config));
  const readSdkMetrics = await installMeasuredRuntime((level, message) => {
    logger[level === 'ERROR' ? 'error' : 'warn']({ from: 'temporal' }, message);
  });
  const metrics = createMetrics();
  const stripe = createStripe(config);
  warnOfMissing(config, logger, ['STRIPE_SECRET_KEY']);
  const now = createClock(config);
  const pools = poolSizes(concurrencyWith(config.STORAGE_LISTINGS_AT_ONCE));
  const dynamoDb = createDynamoDb(config, metrics, pools.dynamoDb);
  const store = createTableStore(dynamoDb, config.TABLE_PREFIX, now, (problem) => {
    logger.error({ reason: problem }, 'a row is left out of a list');
  });
  const temporal = createTemporalClient(config, environment);
  const place = { taskQueue: config.TASK_QUEUE };
  const tables = openTables(store);
  const alertReceiver = createAlertReceiver(config);
  const bundling = loadBundle(config);
  const connection = await connect(config, logger);
  const workers = await createWorkers(
    {
      connection,
      namespace: config.TEMPORAL_NAMESPACE,
      taskQueue: config.TASK_QUEUE,
      workflowBundle: await bundling,
      deliveryRatePerSecond: deliveryRatePerSecond(config),
      eventRatePerSecond: config.EVENT_RATE_PER_SECOND,
    },
    {
      s3: createS3(config, pools.s3),
      bucket: config.BUCKET,
      stripe,
      signals: createEngine(temporal, place),
      ...tables,
      planDefault: config.BILLING_PLAN_DEFAULT,
      processor: gzipProcessor,
      digestFiles,
      listingsAtOnce: config.STORAGE_LISTINGS_AT_ONCE,
      averageOver: config.STORAGE_AVERAGE_OVER,
      raiseAlert: createRaiseAlert({
        isSent: alertReceiver !== undefined,
        keep: tables.alerts.put,
        // Bounded: what the alert is about goes on behind it.
        announce: createEngine(temporal, { ...place, patienceMs: 3000 }).announceAlert,
        logger,
        metrics,
        now,
      }),
      alertReceiver,
      logger,
      metrics,
      now,
      wallClock: () => new Date(),
    },
  );
  if (config.APPLY_SCHEDULES) await applySchedules(temporal, config.TASK_QUEUE);
  const isHealthy = (): boolean => workers.every((worker) => worker.getState() === 'RUNNING');
  const closeHealth = await serveHealth(config.HOST, config.WORKER_HEALTH_PORT, isHealthy, [
    async () => await metrics.registry.metrics(),
    readSdkMetrics,
  ]);
  try {
    const running = runAll(workers);
    logger.info({ taskQueue: config.TASK_QUEUE }, 'worker ready');
    await running;
  } finally {
    await closeHealth();
    await temporal.connection.close();
    await connection.close();
  }
}

/** The one that is named, else the one that a build left beside us, else bundled now (2 s). */
async function loadBundle(config: Config) {
  if (config.WORKFLOW_BUNDLE !== undefined) return { codePath: config.WORKFLOW_BUNDLE };
  const built = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  return existsSync(built) ? { codePath: built } : await bundleWorkflows();
}

/** Temporal may come up after us: tried for two minutes, and said. */
async function connect(config: Config, logger: Logger): Promise<NativeConnection> {
  const options = temporalConnectionOptions(config, readEnvironment());
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await NativeConnection.connect(options);
    } catch (error) {
      if (attempt >= 60) throw error;
      logger.warn({ address: config.TEMPORAL_ADDRESS, attempt }, 'waiting for Temporal');
      await delay(2000);
    }
  }
}

/** SIGTERM and SIGINT stop both workers (the SDK listens); one that fails stops the other. */
async function runAll(workers: readonly Worker[]): Promise<void> {
  const stopAll = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  await Promise.all(
    workers.map(async (worker) => {
      await worker.run().finally(stopAll);
    }),
  );
}

await main();
