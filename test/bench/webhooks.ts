/** Webhooks: how soon they are acknowledged and applied at a rate, and what a forged one costs. */
import type { Command } from 'commander';
import type { BenchmarkContext, BenchmarkResult } from './support/benchmark.ts';
import { runBenchmark } from './support/run-benchmark.ts';
import { startBenchStack } from './support/stack.ts';
import { toCount, toSizes } from './support/storage-options.ts';
import { checkWebhooks } from './webhooks/check.ts';
import { describeForged, describeRate } from './webhooks/describe.ts';
import { makeTemplates } from './webhooks/events.ts';
import { runForged } from './webhooks/forged-only.ts';
import { readInbox } from './webhooks/inbox.ts';
import type { WebhookBenchOptions } from './webhooks/options.ts';
import { startReceivers } from './webhooks/processes.ts';
import { runRate } from './webhooks/run-rate.ts';
import type { RateRun } from './webhooks/run-rate.ts';

/** Higher rates are left out after so long: what they pile up takes a busy machine minutes to apply. */
const budgetMs = 90_000;
/** The product's default. */
const usualEventRate = 20;
const warmUp = { name: 'warmup', perSecond: 50, seconds: 3 };

export function addWebhooks(program: Command): void {
  program
    .command('webhooks')
    .summary('webhooks acknowledged and applied at a rate; what a forged one costs')
    .option('--rates <list>', 'arrivals a second, such as 100,300', toSizes, [100, 300, 600])
    .option('--seconds <n>', 'length of each rate', toCount, 3)
    .option('--customers <n>', 'customers that the events are of', toCount, 200)
    .option('--event-rate <n>', 'EVENT_RATE_PER_SECOND: tasks that apply', toCount, usualEventRate)
    .option('--json', 'print one JSON value', false)
    .option('--keep', 'keep the temp folder with the logs', false)
    .action(async (options: WebhookBenchOptions) => {
      await runBenchmark('webhooks', options, async (context) => await run(context, options));
    });
}

async function run(
  context: BenchmarkContext,
  { rates, seconds, customers, eventRate }: WebhookBenchOptions,
): Promise<BenchmarkResult> {
  const startedMs = performance.now();
  const stack = await startBenchStack(context);
  const receivers = await startReceivers(context, stack, eventRate);
  const templates = await makeTemplates(context, stack, customers);
  const accepted = new Set<string>();
  const warm = await runRate(context, stack, receivers, { ...warmUp, templates, accepted });
  const runs: RateRun[] = [];
  const leftOut: string[] = [];
  for (const perSecond of new Set(rates)) {
    if (performance.now() - startedMs > budgetMs || runs.some(({ stuck }) => stuck)) {
      leftOut.push(`${perSecond} a second was left out: the rates before it took too long`);
      continue;
    }
    const options = { name: `rate${perSecond}`, perSecond, seconds, templates, accepted };
    runs.push(await runRate(context, stack, receivers, options));
  }
  const forged = await runForged(context, receivers.ours, templates);
  const forgedAtPeer = await runForged(context, receivers.verify, templates);
  const rows = await readInbox(stack);
  const answers = [...[warm, ...runs].flatMap(({ ours }) => ours), ...forged.allAnswers];
  return {
    sections: [...runs.map((one) => describeRate(one, rows)), describeForged(forged, forgedAtPeer)],
    checks: await checkWebhooks(stack, receivers, rows, accepted, answers),
    notes: [
      ...leftOut,
      `${customers} customers; of the arrivals 10 % are duplicates and 5 % forged; half are ` +
        'customer.subscription.updated, half invoice.paid',
      'times count from when an arrival was due, not from when it was sent',
      'ours shares the cores with Temporal, the tables, the worker that applies and this script; ' +
        'the peers run afterwards, with nothing applied beside them',
      `EVENT_RATE_PER_SECOND is ${eventRate}: so many tasks a second apply events, and what is more waits ` +
        'in line; with --event-rate 10000 applying takes what it can get, and acknowledging waits',
    ],
  };
}
