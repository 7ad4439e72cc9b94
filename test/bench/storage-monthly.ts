/** A month's storage bills: customers per second beside the limiter and beside Temporal alone, and costs. */
import type { Command } from 'commander';
import { dayOf, previousMonth } from '../../domain/period.ts';
import { checkMonth } from './storage-monthly/check.ts';
import { describeMonth } from './storage-monthly/describe.ts';
import { planMonth, writeMonth } from './storage-monthly/rows.ts';
import { runEmptyChildren, runMonth } from './storage-monthly/run-month.ts';
import type { MonthRun } from './storage-monthly/run-month.ts';
import type { BenchmarkContext, BenchmarkResult, Check, Section } from './support/benchmark.ts';
import { startCounting } from './support/counting-proxy.ts';
import { describeCalls } from './support/describe-calls.ts';
import { median } from './support/median.ts';
import { runBenchmark } from './support/run-benchmark.ts';
import { startBenchStack } from './support/stack.ts';
import type { BenchStack } from './support/stack.ts';
import { toCount, toSizes } from './support/storage-options.ts';

interface StorageMonthlyOptions {
  customers: number[];
  runs: number;
  rate: number;
  window: number;
  json: boolean;
  keep: boolean;
}

const countedCustomers = 100;
/** Of children that do nothing. */
const mostEmpty = 1000;

export function addStorageMonthly(program: Command): void {
  program
    .command('storage-monthly')
    .summary('the monthly run: customers per second beside the limiter, actions and memory')
    .option('--customers <sizes>', 'how many customers; a list', toSizes, [100, 1000])
    .option('--runs <n>', 'runs of each size; medians are shown', toCount, 1)
    .option('--rate <n>', 'meter events a second that the limiter lets through', toCount, 100)
    .option('--window <n>', 'customers billed at the same time', toCount, 100)
    .option('--json', 'print one JSON value', false)
    .option('--keep', 'keep the temp folder with the logs', false)
    .action(async (options: StorageMonthlyOptions) => {
      await runBenchmark(
        'storage-monthly',
        options,
        async (context) => await run(context, options),
      );
    });
}

async function run(
  context: BenchmarkContext,
  options: StorageMonthlyOptions,
): Promise<BenchmarkResult> {
  const stack = await startBenchStack(context);
  const month = previousMonth(dayOf(Date.now()));
  const checks: Check[] = [];
  const sections: Section[] = [];
  for (const customers of options.customers) {
    const runs: MonthRun[] = [];
    for (let number = 1; number <= options.runs; number += 1) {
      const billed = await bill(context, stack, {
        ...options,
        month,
        customers,
        kind: `r${number}`,
      });
      runs.push(billed.run);
      checks.push(...billed.checks);
    }
    const children = Math.min(customers, mostEmpty);
    context.progress(`running ${children} children that do nothing …`);
    const emptyChildren = await runEmptyChildren(context, stack, {
      children,
      window: options.window,
    });
    sections.push(
      describeMonth({ customers, rate: options.rate, emptyChildren, run: middle(runs) }),
    );
  }
  const { env, count } = await startCounting(context, stack);
  const order = { ...options, month, customers: countedCustomers, kind: 'counted', env };
  const counted = await bill(context, stack, order);
  return {
    sections: [...sections, describeCalls('customer', countedCustomers, count)],
    checks: [...checks, ...counted.checks],
    notes: [
      `${month}, a row for most of its days; window ${options.window}, limiter ${options.rate}/s; medians of ${options.runs} run(s)`,
      'all servers, the worker and this script share the cores; time runs from billStorage’s start to its last run’s close',
    ],
  };
}

interface Bill {
  month: string;
  customers: number;
  kind: string;
  rate: number;
  window: number;
  env?: Record<string, string>;
}

async function bill(
  context: BenchmarkContext,
  stack: BenchStack,
  { month, customers, kind, rate, window, env = {} }: Bill,
): Promise<{ run: MonthRun; checks: Check[] }> {
  const plan = planMonth(month, customers, kind);
  const prefix = `bench-${kind}-${customers}-`;
  const tables = await stack.createTables(prefix);
  await writeMonth(context, stack, tables, plan);
  context.progress(`billing ${customers} customers …`);
  const variables = { ...env, TABLE_PREFIX: prefix, DELIVERY_RATE_PER_SECOND: String(rate) };
  const done = await runMonth(context, stack, { month, customers, window, env: variables });
  context.progress('comparing …');
  return { run: done, checks: await checkMonth(stack, tables, month, plan.expected) };
}

/** The medians; where the CPU went is of the run in the middle. */
function middle(runs: readonly MonthRun[]): MonthRun {
  const [some] = runs
    .toSorted((one, other) => one.seconds - other.seconds)
    .slice((runs.length - 1) / 2);
  if (some === undefined) throw new Error('no runs');
  const of = (value: (run: MonthRun) => number): number => median(runs.map(value));
  return {
    ...some,
    seconds: of(({ seconds }) => seconds),
    peakBytes: of(({ peakBytes }) => peakBytes),
    actions: of(({ actions }) => actions),
    events: of(({ events }) => events),
  };
}
