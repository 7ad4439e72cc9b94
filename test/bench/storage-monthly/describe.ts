import type { Figure, Section } from '../support/benchmark.ts';
import type { MonthRun } from './run-month.ts';

const leastPart = 0.95;

export interface MonthFigures {
  customers: number;
  rate: number;
  /** Children that do nothing, per second, on the same server. */
  emptyChildren: number;
  run: MonthRun;
}

export function describeMonth({ customers, rate, emptyChildren, run }: MonthFigures): Section {
  const perSecond: Figure = {
    name: 'customers',
    value: customers / run.seconds,
    unit: 'per second',
  };
  const each = (name: string, value: number): Figure => ({
    name,
    value: value / customers,
    unit: 'fine',
  });
  const cpu = Object.entries(run.cpuSeconds).map(([name, seconds]): Figure => ({
    name: `CPU of ${name}, per customer`,
    value: (seconds * 1000) / customers,
    unit: 'ms',
  }));
  return {
    title: `${customers} customers`,
    figures: [
      {
        ...perSecond,
        beside: { name: `aim: ${leastPart * 100} % of the limiter`, value: rate * leastPart },
      },
      {
        ...perSecond,
        beside: { name: 'Temporal alone: a child that does nothing', value: emptyChildren },
      },
      each('Temporal actions per customer', run.actions),
      each('events per customer, all workflows', run.events),
      { name: 'runs of billStorage, each going on as new', value: run.runs, unit: 'count' },
      { name: 'longest history', value: run.longestHistory, unit: 'count' },
      { name: 'peak memory of the worker', value: run.peakBytes, unit: 'bytes' },
      ...cpu,
    ],
  };
}
