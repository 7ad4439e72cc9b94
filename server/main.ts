/** The server's process: wires clients to the application and listens. */
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { serve } from '@hono/node-server';
import { createDynamoDb } from '../platform/clients.ts';
import { parseConfig, readEnvironment } from '../platform/config.ts';
import { createLogger } from '../platform/logger.ts';
import { createMetrics } from '../platform/metrics.ts';
import { createTemporalClient } from '../platform/temporal.ts';
import { tableSchemas } from '../tables/schema.ts';
import { createApp } from './app.ts';

const environment = readEnvironment();
const config = parseConfig(environment);
const logger = createLogger('server', config.LOG_LEVEL);
const dynamodb = createDynamoDb(config);
const temporal = createTemporalClient(config, environment);
const TableName = `${config.TABLE_PREFIX}${tableSchemas.usageLedger.name}`;

const app = createApp({
  logger,
  registry: createMetrics().registry,
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
