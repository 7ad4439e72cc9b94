/** The clients of the outside world, built once a process. Retrying is Temporal's job, in one layer. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import Stripe from 'stripe';
import { awsOptions, requestHandler } from './aws-options.ts';
import type { Config } from './config.ts';

/** Below the 15 s that a sending activity may take. */
const stripeTimeoutMs = 10_000;

export function createDynamoDb(config: Config): DynamoDBClient {
  return new DynamoDBClient({ ...awsOptions(config, config.DYNAMODB_ENDPOINT), requestHandler });
}

export function createS3(config: Config): S3Client {
  return new S3Client({
    ...awsOptions(config, config.S3_ENDPOINT),
    requestHandler: { ...requestHandler, requestTimeout: 60_000 },
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
