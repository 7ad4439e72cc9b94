/** The server's process: wires clients to the application and listens. */
import type { Server } from 'node:http';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { serve } from '@hono/node-server';
import type { ServerType } from '@hono/node-server';
import { warnOfMissing } from '../platform/billing-off.ts';
import { createRaiseAlert } from '../platform/alerts.ts';
import { createDynamoDb } from '../platform/dynamodb.ts';
import { createS3 } from '../platform/s3.ts';
import { createStripe } from '../platform/stripe.ts';
import { createClock, isLive, readEnvironment, secretsOf } from '../platform/config.ts';
import { loadConfig } from '../platform/load-config.ts';
import { gracefulClose } from '../platform/graceful-close.ts';
import { createLogger } from '../platform/logger.ts';
import { createMetrics } from '../platform/metrics.ts';
import { createObjects } from '../platform/objects.ts';
import { createOutageAllowance } from '../operations/outage-allowance.ts';
import { createRefusals } from '../operations/refusals.ts';
import { createEngine } from '../engine/engine.ts';
import { createTemporalClient } from '../platform/temporal.ts';
import { createTableStore } from '../tables/dynamo.ts';
import { openTables } from '../tables/open.ts';
import { tableSchemas } from '../tables/schema.ts';
import { createApp } from './app.ts';
import { createKeyMemory } from './key-memory.ts';
import { createOperationApp } from './operation-app.ts';
import { createRateLimit } from './rate-limit.ts';
import { probeTimeoutMs } from './routes/health.ts';
import { createTemporalRedrive } from './temporal-redrive.ts';

const environment = readEnvironment();
const config = await loadConfig(environment);
const logger = createLogger('server', config.LOG_LEVEL, undefined, secretsOf(config));
warnOfMissing(config, logger, ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET']);
const metrics = createMetrics();
const dynamodb = createDynamoDb(config, metrics);
const temporal = createTemporalClient(config, environment);
const TableName = `${config.TABLE_PREFIX}${tableSchemas.usageLedger.name}`;

const now = createClock(config);

/** Who calls waits for our answer: rather a quick 503, after which Stripe comes again. */
const patienceMs = 5000;
const engine = createEngine(temporal, {
  taskQueue: config.TASK_QUEUE,
  patienceMs,
  asUnavailable: true,
});

const store = createTableStore(dynamodb, config.TABLE_PREFIX, now, (problem) => {
  logger.error({ reason: problem }, 'a row is left out of a list');
});
const tables = openTables(store);
const stripe = createStripe(config);

const probes = {
  temporal: async () =>
    await temporal.withDeadline(
      Date.now() + probeTimeoutMs,
      async () => await temporal.workflowService.getSystemInfo({}),
    ),
  tables: async () => await dynamodb.send(new DescribeTableCommand({ TableName })),
};
const { METRICS_PORT } = config;

const objects = createObjects(createS3(config), config.BUCKET);
const limit = createRateLimit({
  perMinute: config.RATE_LIMIT_PER_MINUTE,
  redisUrl: config.REDIS_URL,
  metrics,
  logger,
});

const app = createApp({
  logger,
  registry: metrics.registry,
  needUp: metrics.needUp,
  metricsElsewhere: METRICS_PORT !== undefined,
  probes,
  webhooks: {
    stripeSecrets: (config.STRIPE_WEBHOOK_SECRET ?? '')
      .split(',')
      .filter((secret) => secret !== ''),
    eventBridgeSecret: config.EVENTBRIDGE_SECRET,
    // Signatures are of the real time, whatever day the stack lives on.
    now: () => new Date(),
    receiver: {
      webhookEvents: tables.webhookEvents,
      announceEvent: engine.announceEvent,
      metrics,
      livemode: isLive(config),
      account: config.STRIPE_ACCOUNT_ID,
    },
  },
  door: {
    adminToken: config.ADMIN_TOKEN,
    apiKeys: tables.apiKeys,
    memory: createKeyMemory(now),
    limit,
    now,
  },
  keys: { ...tables, now },
  budgets: { spending: tables.spending, now },
  casts: {
    casts: {
      ...tables,
      engine,
      measureFiles: objects.measureFiles,
      price: {
        centsPerCast: config.COST_PER_CAST_CENTS,
        centsPerByte: config.COST_PER_BYTE_CENTS,
      },
      refusals: createRefusals(),
      allowance: createOutageAllowance(
        config.BUDGET_OUTAGE === 'allow' ? config.BUDGET_OUTAGE_CASTS : 0,
      ),
      raiseAlert: createRaiseAlert({
        isSent: config.ALERT_WEBHOOK_URL !== undefined,
        keep: tables.alerts.put,
        announce: engine.announceAlert,
        logger,
        metrics,
        now,
      }),
      logger,
      now,
      wallClock: () => new Date(),
    },
    runs: { ...tables, engine, now },
    limit,
    metrics,
  },
  files: { objects },
  usage: { ...tables, averageOver: config.STORAGE_AVERAGE_OVER, now },
  billing: { ...tables, stripe, publicUrl: config.PUBLIC_URL },
  customers: { ...tables, stripe, account: tables, plan: config.BILLING_PLAN_DEFAULT, now },
  deadLetters: {
    tables,
    temporal: createTemporalRedrive(engine),
    now,
  },
});

const serverOptions = {
  headersTimeout: 5000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1000,
  // Longer than a load balancer keeps its side (ALB: 60 s): a request that it sends into a connection which we
  // are just closing would be its caller's 502.
  keepAliveTimeout: 75_000,
  maxHeaderSize: 16_384,
};
const hostname = config.HOST;

const server = serve(
  { fetch: app.fetch, hostname, port: config.PORT, serverOptions },
  ({ port }) => {
    logger.info({ port }, 'server ready');
  },
);

/** Metrics and health on a port of their own, where one is configured. */
function serveOperation(port: number): ServerType {
  const { registry, needUp } = metrics;
  const { fetch } = createOperationApp({ logger, registry, probes, needUp });
  return serve({ fetch, hostname, port, serverOptions });
}
const operation = METRICS_PORT === undefined ? undefined : serveOperation(METRICS_PORT);

/** Less than what an orchestrator waits before it kills (Docker: 10 s). */
const stopPatienceMs = 8000;
const closers = [server, ...(operation === undefined ? [] : [operation])].map((each) =>
  // An HTTP/1 server: no TLS of its own and no other factory was asked for.
  gracefulClose(each as Server),
);

/** Requests under way are answered, one that hangs is cut off, and the process ends: with 1 when it had to. */
async function stop(): Promise<void> {
  limit.close();
  const cut = await Promise.all(closers.map(async (close) => await close(stopPatienceMs)));
  await temporal.connection.close();
  dynamodb.destroy();
  const requests = cut.reduce((sum, each) => sum + each, 0);
  if (requests > 0) logger.warn({ requests }, 'stopped before these requests were answered');
  // Not left to the event loop: what nobody waits for any more may still have timers.
  process.exit(requests > 0 ? 1 : 0);
}
process.once('SIGTERM', () => void stop());
process.once('SIGINT', () => void stop());
