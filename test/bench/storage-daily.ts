/** Every customer's storage of a day: customers per second, its slope, cost and memory, beside two peers. */
import path from 'node:path';
import type { Command } from 'commander';
import { checkRows } from './storage-daily/check.ts';
import type { MeasuredDay } from './storage-daily/check.ts';
import { describeSize, describeSlope } from './storage-daily/describe.ts';
import { addCustomers } from './storage-daily/layout.ts';
import type { Layout } from './storage-daily/layout.ts';
import { measureSize } from './storage-daily/measure-size.ts';
import type { SizeResult } from './storage-daily/measure-size.ts';
import { runProductDay } from './storage-daily/run-day.ts';
import type { BenchmarkContext, BenchmarkResult } from './support/benchmark.ts';
import { startCounting } from './support/counting-proxy.ts';
import { describeCalls } from './support/describe-calls.ts';
import { runBenchmark } from './support/run-benchmark.ts';
import { startBenchStack } from './support/stack.ts';
import { toCount, toSizes } from './support/storage-options.ts';

interface StorageDailyOptions {
  customers: number[];
  runs: number;
  json: boolean;
  keep: boolean;
}

const defaultSizes = [100, 1000, 10_000];
/** Calls are counted at the largest size up to this one: counting slows them. */
const countedSize = 1000;

export function addStorageDaily(program: Command): void {
  program
    .command('storage-daily')
    .summary('the daily run: customers per second, slope, actions and memory')
    .option('--customers <sizes>', 'how many customers; a list', toSizes, defaultSizes)
    .option('--runs <n>', 'runs of each size; medians are shown', toCount, 3)
    .option('--json', 'print one JSON value', false)
    .option('--keep', 'keep the temp folder with the logs', false)
    .action(async (options: StorageDailyOptions) => {
      await runBenchmark('storage-daily', options, async (context) => await run(context, options));
    });
}

async function run(
  context: BenchmarkContext,
  options: StorageDailyOptions,
): Promise<BenchmarkResult> {
  const stack = await startBenchStack(context);
  const folder = path.join(context.dataDir, 's3', stack.config.BUCKET);
  const layout: Layout = new Map();
  const days: MeasuredDay[] = [];
  const nextDay = (): string => {
    const day = new Date(Date.UTC(2026, 0, 1 + days.length)).toISOString().slice(0, 10);
    days.push({ day, customers: layout.size });
    return day;
  };
  const results: SizeResult[] = [];
  const calls: BenchmarkResult['sections'] = [];
  const counted = options.customers.findLast((size) => size <= countedSize);
  for (const size of options.customers) {
    await addCustomers(context, stack, layout, folder, size);
    results.push(await measureSize(context, stack, layout, { runs: options.runs, nextDay }));
    if (size !== counted) continue;
    context.progress('counting the calls of one more day …');
    const { env, count } = await startCounting(context, stack);
    await runProductDay(context, stack, nextDay(), env);
    calls.push(describeCalls('customer', size, count));
  }
  return {
    sections: [...results.map(describeSize), ...describeSlope(results), ...calls],
    checks: [await checkRows(stack, layout, days)],
    notes: [
      `medians of ${options.runs} runs, each in a new process; 5 objects a customer, and 3,000 for one in 1,000`,
      'all servers, the worker and this script share the cores; time runs from a run’s start to its close',
      'actions include the most heartbeats that can have reached the server; a schedule’s own 3 are not in them',
    ],
  };
}
