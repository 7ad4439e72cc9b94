/** The clients of the outside world, built once a process. Retrying is Temporal's job, in one layer. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import Stripe from 'stripe';
import { z } from 'zod';
import { BillingError } from '../domain/errors.ts';
import type { Config } from './config.ts';

/** Below the 15 s that a sending activity may take. */
const stripeTimeoutMs = 10_000;

function awsOptions(config: Config, endpoint: string | undefined) {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = config;
  return {
    region: config.AWS_REGION,
    // One quick repeat hides a broken connection; anything longer is for Temporal's retries.
    maxAttempts: 2,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined
      ? {}
      : {
          credentials: {
            accessKeyId: AWS_ACCESS_KEY_ID,
            secretAccessKey: AWS_SECRET_ACCESS_KEY,
            ...(AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: AWS_SESSION_TOKEN }),
          },
        }),
  };
}

/** A call that is not answered in time fails: without the last setting it is only warned of. */
const requestHandler = {
  connectionTimeout: 3000,
  requestTimeout: 10_000,
  throwOnRequestTimeout: true,
};

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
export async function createStripe(config: Config): Promise<Stripe | undefined> {
  const key = config.STRIPE_SECRET_KEY ?? (await readStripeSecret(config));
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

const secretSchema = z.object({ STRIPE_SECRET_KEY: z.string().min(1) });

async function readStripeSecret(config: Config): Promise<string | undefined> {
  if (config.STRIPE_SECRET_ID === undefined) return undefined;
  const client = new SecretsManagerClient({ ...awsOptions(config, undefined), requestHandler });
  const { SecretString } = await client.send(
    new GetSecretValueCommand({ SecretId: config.STRIPE_SECRET_ID }),
  );
  const secret = secretSchema.safeParse(parseJson(SecretString ?? ''));
  if (secret.success) return secret.data.STRIPE_SECRET_KEY;
  throw new BillingError(
    'invalid_request',
    `the secret ${config.STRIPE_SECRET_ID} does not hold {"STRIPE_SECRET_KEY": "…"}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
