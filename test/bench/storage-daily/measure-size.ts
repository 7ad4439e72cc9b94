/** The product and its peers over the customers that there are now, so many times each. */
import type { BenchmarkContext } from '../support/benchmark.ts';
import { median } from '../support/median.ts';
import type { BenchStack } from '../support/stack.ts';
import type { Layout } from './layout.ts';
import { runNaiveDay, runPlainDay, runProductDay } from './run-day.ts';
import type { DayRun } from './run-day.ts';

/** One child per customer: more would measure nothing but Temporal. */
const mostNaive = 1000;

export interface SizeResult {
  customers: number;
  product: DayRun;
  plain: { seconds: number; peakBytes: number };
  naive: { seconds: number; actions: number; events: number } | undefined;
}

export async function measureSize(
  context: BenchmarkContext,
  stack: BenchStack,
  layout: Layout,
  { runs, nextDay }: { runs: number; nextDay: () => string },
): Promise<SizeResult> {
  const { progress } = context;
  const customers = layout.size;
  const products: DayRun[] = [];
  const plains: { seconds: number; peakBytes: number }[] = [];
  for (let run = 1; run <= runs; run += 1) {
    progress(`${customers} customers, run ${run} of ${runs}: aggregateStorage …`);
    products.push(await runProductDay(context, stack, nextDay()));
    progress('  and a plain script …');
    plains.push(await runPlainDay(context, stack, nextDay()));
  }
  let naive: SizeResult['naive'];
  if (customers <= mostNaive) {
    progress('  and a child workflow for each customer, once …');
    naive = await runNaiveDay(context, stack, nextDay(), [...layout.keys()]);
  }
  const names = Object.keys(products[0]?.cpuSeconds ?? {});
  const middle = <Run>(of: readonly Run[], value: (run: Run) => number): number =>
    median(of.map(value));
  return {
    customers,
    product: {
      seconds: middle(products, ({ seconds }) => seconds),
      peakBytes: middle(products, ({ peakBytes }) => peakBytes),
      actions: middle(products, ({ actions }) => actions),
      events: middle(products, ({ events }) => events),
      cpuSeconds: Object.fromEntries(
        names.map((name) => [name, middle(products, (run) => run.cpuSeconds[name] ?? 0)]),
      ),
    },
    plain: {
      seconds: middle(plains, ({ seconds }) => seconds),
      peakBytes: middle(plains, ({ peakBytes }) => peakBytes),
    },
    naive,
  };
}
