import type { Figure, Section } from '../support/benchmark.ts';
import type { SizeResult } from './measure-size.ts';

const mostActions = 0.05;
const mostEvents = 10_000;
const steepestSlope = 1.05;
const mostMemoryGrowth = 1.3;
/** The aims are for sizes from here up. */
const aimedSize = 1000;

export function describeSize({ customers, product, plain, naive }: SizeResult): Section {
  const rate = {
    name: 'customers',
    value: customers / product.seconds,
    unit: 'per second',
  } as const;
  const beside = (name: string, value: number): Pick<Figure, 'beside'> => ({
    beside: { name, value },
  });
  const perCustomer = (name: string, value: number): Figure => ({
    name,
    value: value / customers,
    unit: 'fine',
  });
  const aim =
    customers < aimedSize ? {} : beside(`aim: at most, from ${aimedSize} up`, mostActions);
  const figures: Figure[] = [
    { ...rate, ...beside('aim: a plain script', customers / plain.seconds) },
    { ...perCustomer('Temporal actions per customer', product.actions), ...aim },
    {
      name: 'events in its history',
      value: product.events,
      unit: 'count',
      ...beside('aim: at most', mostEvents),
    },
    { ...perCustomer('events per customer', product.events) },
    {
      name: 'peak memory of the worker',
      value: product.peakBytes,
      unit: 'bytes',
      ...beside('a plain script', plain.peakBytes),
    },
  ];
  for (const [name, seconds] of Object.entries(product.cpuSeconds)) {
    const value = (seconds * 1000) / customers;
    figures.push({ name: `CPU of ${name}, per customer`, value, unit: 'ms' });
  }
  if (naive !== undefined) {
    const name = 'a child for each customer';
    const [first, second] = figures;
    if (first === undefined || second === undefined) throw new Error('no figures');
    figures.push(
      { ...rate, ...beside(name, customers / naive.seconds) },
      { ...second, ...beside(name, naive.actions / customers) },
      {
        ...perCustomer('events per customer', product.events),
        ...beside(name, naive.events / customers),
      },
    );
  }
  return { title: `${customers} customers`, figures };
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
