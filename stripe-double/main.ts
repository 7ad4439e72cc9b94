#!/usr/bin/env tsx
import { Command, InvalidArgumentError, Option } from 'commander';
import type { StripeDouble } from './server.ts';
import { startStripeDouble } from './server.ts';

type Flags = {
  port: number;
  data?: string;
  secretKey: string[];
  identifierMemoryHours: number;
  webhook: string[];
  webhookSecret?: string;
  webhookRetryScale?: number;
};

const command = new Command('stripe-double')
  .description('The offline Stripe double, on 127.0.0.1')
  .option('--port <n>', 'port; 0 is a free one', toPort, 0)
  .option('--data <dir>', 'folder of the state journal; without it the state is in memory only')
  .addOption(
    new Option(
      '--secret-key <key>',
      'an accepted sk_test_ key; may be repeated; without it any test key is accepted',
    )
      .env('STRIPE_DOUBLE_SECRET_KEY')
      .argParser(collectKey)
      .default([], 'none'),
  )
  .option(
    '--identifier-memory-hours <n>',
    'how long meter event identifiers are unique',
    toHours,
    24,
  )
  .option('--webhook <url>', 'where all events are sent; may be repeated', collect, [])
  .addOption(
    new Option('--webhook-secret <secret>', 'what those are signed with').env(
      'STRIPE_DOUBLE_WEBHOOK_SECRET',
    ),
  )
  .option(
    '--webhook-retry-scale <n>',
    "of Stripe's waits between attempts; 1 is 5 minutes",
    toScale,
  )
  .action(run);

await command.parseAsync();

async function run(flags: Flags): Promise<void> {
  try {
    const { webhookSecret: secret } = flags;
    if (flags.webhook.length > 0 && secret === undefined) {
      throw new Error('--webhook needs --webhook-secret');
    }
    const double = await startStripeDouble({
      port: flags.port,
      dataDir: flags.data,
      secretKeys: flags.secretKey,
      identifierMemoryMs: flags.identifierMemoryHours * 3_600_000,
      ...(secret === undefined ? {} : { webhooks: flags.webhook.map((url) => ({ url, secret })) }),
      delivery:
        flags.webhookRetryScale === undefined ? {} : { retryScale: flags.webhookRetryScale },
    });
    stopOnSignal(double);
    console.log(`stripe double listening on ${double.url}`);
  } catch (error) {
    console.error(`stripe double: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

function stopOnSignal(double: StripeDouble): void {
  const stop = (): void => {
    void double.stop().then(() => {
      process.exit(0);
    });
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

function toPort(value: string): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port > 65_535) throw new InvalidArgumentError('0 to 65535');
  return port;
}

function toHours(value: string): number {
  const hours = Number(value);
  if (!(hours >= 24)) throw new InvalidArgumentError('Stripe remembers for at least 24 hours');
  return hours;
}

function toScale(value: string): number {
  const scale = Number(value);
  if (!(scale >= 0)) throw new InvalidArgumentError('a number that is not negative');
  return scale;
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}

function collectKey(value: string, previous: readonly string[]): string[] {
  if (!/^(sk|rk)_test_\w+$/.test(value)) {
    throw new InvalidArgumentError('must start with sk_test_; live keys are never accepted');
  }
  return [...previous, value];
}
