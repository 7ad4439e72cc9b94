/** The clients of the outside world, built once a process. Retrying is Temporal's job, in one layer. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import Stripe from 'stripe';
import { awsOptions, requestHandler } from './aws-options.ts';
import type { Config } from './config.ts';
import type { Metrics } from './metrics.ts';

/** Below the 15 s that a sending activity may take. */
const stripeTimeoutMs = 10_000;

/** The SDK's own size of a pool: for processes that do a few things at a time. */
const usualConnections = 50;

function poolOf(maxSockets: number) {
  const agent = { keepAlive: true, maxSockets };
  return { httpAgent: agent, httpsAgent: agent };
}

/**
 * `connections`: never fewer than what the process asks for at once (FM15).
 * With metrics, each request counts as in flight from being sent to being answered, each try by itself.
 */
export function createDynamoDb(
  config: Config,
  metrics?: Pick<Metrics, 'dbPoolInUse'>,
  connections = usualConnections,
): DynamoDBClient {
  const client = new DynamoDBClient({
    ...awsOptions(config, config.DYNAMODB_ENDPOINT),
    requestHandler: { ...requestHandler, ...poolOf(connections) },
  });
  if (metrics !== undefined) {
    client.middlewareStack.add(
      (next) => async (args) => {
        metrics.dbPoolInUse.inc();
        try {
          return await next(args);
        } finally {
          metrics.dbPoolInUse.dec();
        }
      },
      { step: 'deserialize', priority: 'low', name: 'countInFlight' },
    );
  }
  return client;
}

export function createS3(config: Config, connections = usualConnections): S3Client {
  return new S3Client({
    ...awsOptions(config, config.S3_ENDPOINT),
    // A part may take minutes to be sent; it is a connection without a byte that is given up (FM13).
    requestHandler: {
      ...requestHandler,
      requestTimeout: 600_000,
      socketTimeout: 60_000,
      ...poolOf(connections),
    },
    forcePathStyle: config.S3_ENDPOINT !== undefined,
    // Streamed puts with default checksums fail now and then on S3-like stores.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/** Undefined when there is no key: billing is off. */
export function createStripe(config: Config): Stripe | undefined {
  const key = config.STRIPE_SECRET_KEY;
  if (key === undefined) return undefined;
  const base = config.STRIPE_API_BASE === undefined ? undefined : new URL(config.STRIPE_API_BASE);
  const secure = base?.protocol === 'https:';
  return new Stripe(key, {
    maxNetworkRetries: 0,
    timeout: stripeTimeoutMs,
    telemetry: false,
    appInfo: { name: 'durabill' },
    ...(base === undefined
      ? {}
      : {
          host: base.hostname,
          port: base.port === '' ? (secure ? 443 : 80) : Number(base.port),
          protocol: secure ? ('https' as const) : ('http' as const),
        }),
  });
}
