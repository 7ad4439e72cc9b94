/** The server's process: wires clients to the application and listens. */
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { serve } from '@hono/node-server';
import { createDynamoDb } from '../platform/clients.ts';
import { createClock, isLive, readEnvironment } from '../platform/config.ts';
import { loadConfig } from '../platform/load-config.ts';
import { createLogger } from '../platform/logger.ts';
import { createMetrics } from '../platform/metrics.ts';
import { createEngine } from '../engine/engine.ts';
import { createTemporalClient } from '../platform/temporal.ts';
import { createTableStore } from '../tables/dynamo.ts';
import { openTables } from '../tables/open.ts';
import { tableSchemas } from '../tables/schema.ts';
import { createApp } from './app.ts';
import { createTemporalRedrive } from './temporal-redrive.ts';

const environment = readEnvironment();
const config = await loadConfig(environment);
const logger = createLogger('server', config.LOG_LEVEL);
const dynamodb = createDynamoDb(config);
const temporal = createTemporalClient(config, environment);
const TableName = `${config.TABLE_PREFIX}${tableSchemas.usageLedger.name}`;

const now = createClock(config);
const metrics = createMetrics();

/** Who calls waits for our answer: rather a quick 503, after which Stripe comes again. */
const patienceMs = 5000;
const engine = createEngine(temporal, {
  taskQueue: config.TASK_QUEUE,
  patienceMs,
  asUnavailable: true,
});

const tables = openTables(createTableStore(dynamodb, config.TABLE_PREFIX, now));

const app = createApp({
  logger,
  registry: metrics.registry,
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
  deadLetters: {
    adminToken: config.ADMIN_TOKEN,
    tables,
    temporal: createTemporalRedrive(engine),
    now,
  },
  probes: {
    temporal: async () => await temporal.workflowService.getSystemInfo({}),
    tables: async () => await dynamodb.send(new DescribeTableCommand({ TableName })),
  },
});

const server = serve(
  {
    fetch: app.fetch,
    hostname: config.HOST,
    port: config.PORT,
    serverOptions: {
      headersTimeout: 5000,
      requestTimeout: 10_000,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: 16_384,
    },
  },
  ({ port }) => {
    logger.info({ port }, 'server ready');
  },
);

/** Requests under way are answered, then the process ends by itself; a hung one has 10 s. */
function stop(): void {
  setTimeout(() => process.exit(1), 10_000).unref();
  server.close(() => {
    void temporal.connection.close().then(() => {
      dynamodb.destroy();
    });
  });
}
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
