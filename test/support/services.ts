/** Real servers for tests: each caller gets its own, on free ports, in a folder of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import type Stripe from 'stripe';
import { startDynamodb } from '../../dev/stack/dynamodb.ts';
import { startS3 } from '../../dev/stack/s3.ts';
import { createStripeControl } from '../../stripe-double/control.ts';
import type { StripeControl } from '../../stripe-double/control.ts';
import { startStripeDouble } from '../../stripe-double/server.ts';
import type { DoubleOptions } from '../../stripe-double/double.ts';
import { inputKey } from '../../domain/files.ts';
import { createDynamoDb } from '../../platform/dynamodb.ts';
import { createS3 } from '../../platform/s3.ts';
import { createStripe } from '../../platform/stripe.ts';
import { parseConfig } from '../../platform/config.ts';
import type { Config } from '../../platform/config.ts';
import { createTables } from '../../tables/create.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import type { TableStore } from '../../tables/dynamo.ts';
import { openTables } from '../../tables/open.ts';
import type { Tables } from '../../tables/open.ts';

const testStripeKey = 'sk_test_durabill';

export interface Services extends Tables {
  /** The variables that a worker or CLI process needs to use these servers. */
  env: Record<string, string>;
  config: Config;
  dataDir: string;
  store: TableStore;
  s3: S3Client;
  stripe: Stripe;
  control: StripeControl;
  putFile: (customerId: string, file: string, body: Uint8Array | string) => Promise<void>;
  stop: () => Promise<void>;
}

/** dynoxide with our tables, versitygw with our bucket, the Stripe double with our meters. */
export async function startServices(double: DoubleOptions = {}): Promise<Services> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'durabill-test-'));
  const [dynamodb, objects, stripeDouble] = await Promise.all([
    startDynamodb({ dataDir, inMemory: true }),
    startS3({ dataDir, accessKeyId: 'durabill', secretAccessKey: 'durabill-secret' }),
    startStripeDouble({ secretKeys: [testStripeKey], ...double }),
  ]);
  const env = {
    STRIPE_SECRET_KEY: testStripeKey,
    STRIPE_API_BASE: stripeDouble.url,
    AWS_ACCESS_KEY_ID: 'durabill',
    AWS_SECRET_ACCESS_KEY: 'durabill-secret',
    DYNAMODB_ENDPOINT: dynamodb.url,
    S3_ENDPOINT: objects.url,
    DELIVERY_RATE_PER_SECOND: '1000',
    LOG_LEVEL: 'warn',
  };
  const config = parseConfig(env);
  const client = createDynamoDb(config);
  const s3 = createS3(config);
  const stripe = createStripe(config);
  if (stripe === undefined) throw new Error('the test configuration has no Stripe key');
  await createTables(client, config.TABLE_PREFIX);
  await s3.send(new CreateBucketCommand({ Bucket: config.BUCKET }));
  await createMeters(stripe);
  const store = createTableStore(client, config.TABLE_PREFIX);
  return {
    env,
    config,
    dataDir,
    store,
    s3,
    stripe,
    control: createStripeControl(stripeDouble.url),
    ...openTables(store),
    putFile: async (customerId, file, body) => {
      const Key = inputKey(customerId, file);
      await s3.send(new PutObjectCommand({ Bucket: config.BUCKET, Key, Body: body }));
    },
    stop: async () => {
      s3.destroy();
      client.destroy();
      await Promise.all([dynamodb.stop(), objects.stop(), stripeDouble.stop()]);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function createMeters(stripe: Stripe): Promise<void> {
  for (const event_name of ['file_processed', 'storage-usage']) {
    await stripe.billing.meters.create({
      display_name: event_name,
      event_name,
      default_aggregation: { formula: 'sum' },
      customer_mapping: { type: 'by_id', event_payload_key: 'stripe_customer_id' },
      value_settings: { event_payload_key: 'value' },
    });
  }
}
