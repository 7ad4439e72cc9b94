/** The whole product on real servers, each its own process, on free ports in a temp folder. */
import path from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Client } from '@temporalio/client';
import { startDynamodb } from '../../../dev/stack/dynamodb.ts';
import { startS3 } from '../../../dev/stack/s3.ts';
import { startStripe } from '../../../dev/stack/stripe.ts';
import { startTemporal, TEMPORAL_NAMESPACE } from '../../../dev/stack/temporal.ts';
import type { RunningServer } from '../../../dev/stack/types.ts';
import { startWorker } from '../../../dev/stack/worker.ts';
import { createStripeControl } from '../../../stripe-double/control.ts';
import type { StripeControl } from '../../../stripe-double/control.ts';
import { ensureBucket } from '../../../platform/bucket.ts';
import { createDynamoDb } from '../../../platform/dynamodb.ts';
import { createS3 } from '../../../platform/s3.ts';
import { createStripe } from '../../../platform/stripe.ts';
import { parseConfig } from '../../../platform/config.ts';
import type { Config } from '../../../platform/config.ts';
import { ensureCatalog } from '../../../platform/stripe-catalog.ts';
import { ensureSearchAttributes } from '../../../platform/temporal-setup.ts';
import { createTemporalClient } from '../../../platform/temporal.ts';
import { createTables } from '../../../tables/create.ts';
import { createTableStore } from '../../../tables/dynamo.ts';
import type { TableStore } from '../../../tables/dynamo.ts';
import { openTables } from '../../../tables/open.ts';
import type { ProcessingHistory } from '../../../tables/processing-history.ts';
import type { UsageLedger } from '../../../tables/usage-ledger.ts';
import { writeBundle } from '../../../worker/bundle.ts';
import type { BenchmarkContext } from './benchmark.ts';

export const temporalServer = 'Temporal server';
type ServerName = typeof temporalServer | 'DynamoDB' | 'S3' | 'Stripe';

export interface BenchStack {
  /** The variables of a process that uses this stack. */
  env: Record<string, string>;
  config: Config;
  temporal: Client;
  s3: S3Client;
  tables: TableStore;
  /** Other tables in the same store, apart from all that was measured before. */
  createTables: (prefix: string) => Promise<TableStore>;
  ledger: UsageLedger;
  processings: ProcessingHistory;
  stripe: StripeControl;
  pids: Record<ServerName, number>;
  /** The variables given here go before the stack's own. */
  startWorker: (env?: Record<string, string>) => Promise<RunningServer>;
}

const stripeKey = 'sk_test_bench';
const objectKeys = { accessKeyId: 'bench', secretAccessKey: 'bench-secret' };

export async function startBenchStack(context: BenchmarkContext): Promise<BenchStack> {
  const { dataDir, signal, progress, onEnd } = context;
  progress('starting Temporal, DynamoDB, S3 and Stripe …');
  const options = { dataDir, signal, report: progress };
  const start = async (starting: Promise<RunningServer>): Promise<RunningServer> => {
    const server = await starting;
    onEnd(server.name, async () => await server.stop());
    return server;
  };
  const [temporal, dynamodb, objects, stripe] = await Promise.all([
    start(startTemporal(options)),
    start(startDynamodb(options)),
    start(startS3({ ...options, ...objectKeys })),
    start(startStripe({ ...options, secretKey: stripeKey })),
  ]);
  const env = {
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE,
    DYNAMODB_ENDPOINT: dynamodb.url,
    S3_ENDPOINT: objects.url,
    AWS_ACCESS_KEY_ID: objectKeys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: objectKeys.secretAccessKey,
    STRIPE_SECRET_KEY: stripeKey,
    STRIPE_API_BASE: stripe.url,
    DELIVERY_RATE_PER_SECOND: '1000',
    LOG_LEVEL: 'warn',
    WORKFLOW_BUNDLE: path.join(dataDir, 'workflows.js'),
  };
  // As in production: bundling inside the worker would hide its memory behind the bundler's.
  await writeBundle(env.WORKFLOW_BUNDLE);
  const clients = await prepare(parseConfig(env), env, onEnd);
  return {
    env,
    ...clients,
    stripe: createStripeControl(stripe.url),
    pids: {
      [temporalServer]: temporal.pid,
      DynamoDB: dynamodb.pid,
      S3: objects.pid,
      Stripe: stripe.pid,
    },
    startWorker: async (more = {}) =>
      await start(startWorker({ ...options, env: { ...env, ...more } })),
  };
}

async function prepare(
  config: Config,
  env: Record<string, string>,
  onEnd: BenchmarkContext['onEnd'],
) {
  const temporal = createTemporalClient(config, env);
  const dynamoDb = createDynamoDb(config);
  const s3 = createS3(config);
  const stripe = createStripe(config);
  if (stripe === undefined) throw new Error('the benchmark has no Stripe key');
  onEnd('clients', async () => {
    s3.destroy();
    dynamoDb.destroy();
    await temporal.connection.close();
  });
  await Promise.all([
    createTables(dynamoDb, config.TABLE_PREFIX),
    ensureBucket(s3, config),
    ensureSearchAttributes(temporal),
    ensureCatalog(stripe),
  ]);
  const tables = createTableStore(dynamoDb, config.TABLE_PREFIX);
  const { ledger, processings } = openTables(tables);
  return {
    config,
    temporal,
    s3,
    tables,
    createTables: async (tablePrefix: string): Promise<TableStore> => {
      await createTables(dynamoDb, tablePrefix);
      return createTableStore(dynamoDb, tablePrefix);
    },
    ledger,
    processings,
  };
}
