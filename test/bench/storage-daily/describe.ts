import type { Figure, Section } from '../support/benchmark.ts';
import type { SizeResult } from './measure-size.ts';

const mostActions = 0.05;
const mostEvents = 10_000;
const steepestSlope = 1.05;
const mostMemoryGrowth = 1.3;
/** The aims are for sizes from here up. */
const aimedSize = 1000;

export function describeSize({ customers, product, plain, naive }: SizeResult): Section {
  const each = (name: string, value: number): Figure => ({
    name,
    value: value / customers,
    unit: 'fine',
  });
  const rate = {
    name: 'customers',
    value: customers / product.seconds,
    unit: 'per second',
  } as const;
  const actions = each('Temporal actions per customer', product.actions);
  const events = each('events per customer', product.events);
  const peer = (value: number): Pick<Figure, 'beside'> => ({
    beside: { name: 'a child for each customer', value },
  });
  const mostHere = { name: `aim: at most, from ${aimedSize} up`, value: mostActions };
  const figures: Figure[] = [
    { ...rate, beside: { name: 'aim: a plain script', value: customers / plain.seconds } },
    { ...actions, ...(customers < aimedSize ? {} : { beside: mostHere }) },
    {
      name: 'events in its history',
      value: product.events,
      unit: 'count',
      beside: { name: 'aim: at most', value: mostEvents },
    },
    {
      name: 'peak memory of the worker',
      value: product.peakBytes,
      unit: 'bytes',
      beside: { name: 'a plain script', value: plain.peakBytes },
    },
    ...Object.entries(product.cpuSeconds).map(([name, seconds]): Figure => {
      const value = (seconds * 1000) / customers;
      return { name: `CPU of ${name}, per customer`, value, unit: 'ms' };
    }),
  ];
  const besideNaive: Figure[] =
    naive === undefined
      ? []
      : [
          { ...rate, ...peer(customers / naive.seconds) },
          { ...actions, ...peer(naive.actions / customers) },
          { ...events, ...peer(naive.events / customers) },
        ];
  return { title: `${customers} customers`, figures: [...figures, ...besideNaive] };
}

/** Time over customers on logarithms: 1 is "twice the customers, twice the time". */
export function describeSlope(results: readonly SizeResult[]): Section[] {
  const large = results.filter(({ customers }) => customers >= aimedSize);
  return large.slice(1).map((to, index) => {
    const from = large[index] ?? to;
    const grown = Math.log(to.customers / from.customers);
    const slope = (one: number, other: number): number => Math.log(other / one) / grown;
    return {
      title: `from ${from.customers} to ${to.customers} customers`,
      figures: [
        {
          name: 'slope of time over customers',
          value: slope(from.product.seconds, to.product.seconds),
          unit: 'fine',
          beside: { name: 'aim: at most', value: steepestSlope },
        },
        {
          name: 'slope of the plain script',
          value: slope(from.plain.seconds, to.plain.seconds),
          unit: 'fine',
        },
        {
          name: 'peak memory, times',
          value: to.product.peakBytes / from.product.peakBytes,
          unit: 'fine',
          beside: { name: 'aim: at most', value: mostMemoryGrowth },
        },
      ],
    };
  });
}
