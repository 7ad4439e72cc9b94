/**
 * What a command may use, made when it is first asked for: SDKs take longer to load than `config` or
 * a usage error may take to answer.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Client } from '@temporalio/client';
import type Stripe from 'stripe';
import { BillingError } from '../../domain/errors.ts';
import { createClock, readEnvironment } from '../../platform/config.ts';
import type { Config, Environment } from '../../platform/config.ts';
import type { Engine } from '../../engine/engine.ts';
import { resolveSettings } from '../../platform/embedded.ts';
import type { Settings } from '../../platform/embedded.ts';
import { loadConfig } from '../../platform/load-config.ts';
import type { Tables } from '../../tables/open.ts';
import { nameFailures } from './name-failures.ts';

/** Where Stripe reaches the server: the embedded one is known. */
export function publicUrlOf({ settings, config }: Context): string | undefined {
  return config.PUBLIC_URL ?? settings.embedded?.api;
}

/** How long Temporal may take to answer at first. */
const temporalPatienceMs = 3000;
/** A later call to Temporal: the server was seen to answer just before. */
const callPatienceMs = 15_000;
/** A single call to a table or the bucket, with its one repeat. */
const awsPatienceMs = 10_000;

export class Context {
  readonly settings: Settings;
  readonly config: Config;
  /** The stack's clock, which a test of a past month moves. */
  readonly now: () => Date;
  readonly #closers: (() => void | Promise<void>)[] = [];
  #tables: Promise<Tables> | undefined;
  #temporal: Promise<Client> | undefined;
  #engine: Promise<Engine> | undefined;
  #stripe: Promise<Stripe | undefined> | undefined;

  private constructor(settings: Settings, config: Config) {
    this.settings = settings;
    this.config = config;
    this.now = createClock(config);
  }

  /** Throws BillingError when no stack runs here or the configuration is wrong. */
  static async open(environment: Environment = readEnvironment()): Promise<Context> {
    const settings = resolveSettings(environment);
    return new Context(settings, await loadConfig(settings.environment));
  }

  async dynamoDb(): Promise<DynamoDBClient> {
    const { createDynamoDb } = await import('../../platform/dynamodb.ts');
    const client = createDynamoDb(this.config);
    this.#closers.push(() => client.destroy());
    const { DYNAMODB_ENDPOINT, AWS_REGION } = this.config;
    const where = DYNAMODB_ENDPOINT ?? `AWS (${AWS_REGION})`;
    nameFailures(
      client.middlewareStack,
      awsPatienceMs,
      `DynamoDB at ${where}`,
      'DYNAMODB_ENDPOINT',
    );
    return client;
  }

  async s3(): Promise<S3Client> {
    const { createS3 } = await import('../../platform/s3.ts');
    const client = createS3(this.config);
    this.#closers.push(() => client.destroy());
    const { S3_ENDPOINT, AWS_REGION } = this.config;
    const where = S3_ENDPOINT ?? `AWS (${AWS_REGION})`;
    nameFailures(client.middlewareStack, awsPatienceMs, `S3 at ${where}`, 'S3_ENDPOINT');
    return client;
  }

  async tables(): Promise<Tables> {
    this.#tables ??= this.#openTables();
    return await this.#tables;
  }

  async #openTables(): Promise<Tables> {
    const client = await this.dynamoDb();
    const [{ createTableStore }, { openTables }] = await Promise.all([
      import('../../tables/dynamo.ts'),
      import('../../tables/open.ts'),
    ]);
    const { TABLE_PREFIX } = this.config;
    const tell = (problem: string) => process.stderr.write(`left out: ${problem}\n`);
    return openTables(createTableStore(client, TABLE_PREFIX, this.now, tell));
  }

  /** Undefined when billing is off. */
  async stripe(): Promise<Stripe | undefined> {
    this.#stripe ??= import('../../platform/stripe.ts').then(({ createStripe }) =>
      createStripe(this.config),
    );
    return await this.#stripe;
  }

  /** A client whose server has answered and has our namespace; else BillingError within seconds. */
  async temporal(): Promise<Client> {
    this.#temporal ??= this.#openTemporal();
    return await this.#temporal;
  }

  /** Starts, tells and asks workflows; opened like `temporal`. */
  async engine(): Promise<Engine> {
    this.#engine ??= Promise.all([this.temporal(), import('../../engine/engine.ts')]).then(
      ([client, { createEngine }]) =>
        createEngine(client, { taskQueue: this.config.TASK_QUEUE, patienceMs: callPatienceMs }),
    );
    return await this.#engine;
  }

  async #openTemporal(): Promise<Client> {
    const [{ createTemporalClient }, { requireNamespace }] = await Promise.all([
      import('../../platform/temporal.ts'),
      import('../../engine/ask.ts'),
    ]);
    const { config, settings } = this;
    // gRPC would go on trying to connect; that nothing listens is known in milliseconds.
    await this.#requireListener();
    const client = createTemporalClient(config, settings.environment, temporalPatienceMs);
    this.#closers.push(async () => await client.connection.close());
    try {
      await client.withDeadline(
        Date.now() + temporalPatienceMs,
        async () => await requireNamespace(client),
      );
    } catch (error) {
      throw error instanceof BillingError ? error : this.#temporalAway(error);
    }
    return client;
  }

  async #requireListener(): Promise<void> {
    const { config, settings } = this;
    // Behind a proxy the address need not be reachable from here.
    if (Object.keys(settings.environment).some((name) => /^(grpc|https?)_proxy$/i.test(name))) {
      return;
    }
    const { probe } = await import('./probe.ts');
    try {
      await probe(config.TEMPORAL_ADDRESS, temporalPatienceMs);
    } catch (error) {
      throw this.#temporalAway(error);
    }
  }

  #temporalAway(cause: unknown): BillingError {
    return new BillingError(
      'unavailable',
      `Temporal at ${this.config.TEMPORAL_ADDRESS} does not answer: is it running, and ` +
        'TEMPORAL_ADDRESS (with TEMPORAL_API_KEY or TEMPORAL_TLS_*, if it wants them) right?',
      { cause },
    );
  }

  /** Closes what was opened, so that the process ends by itself. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }
}
