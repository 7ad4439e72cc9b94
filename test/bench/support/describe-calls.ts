import type { Figure, Section } from './benchmark.ts';
import type { CallCount } from './counting-proxy.ts';

/** What a customer takes of S3 and DynamoDB. */
export function describeCalls(customers: number, { calls }: CallCount): Section {
  const figures = [...calls]
    .toSorted(byName)
    .flatMap(([name, { calls: made, units }]): Figure[] => {
      const each = (what: string, value: number): Figure => ({ name: what, value, unit: 'fine' });
      const perCustomer = each(`${name}, calls`, made / customers);
      return units === 0
        ? [perCustomer]
        : [perCustomer, each('  capacity units', units / customers)];
    });
  return { title: `calls per customer, counted on the wire at ${customers}`, figures };
}

function byName([one]: [string, unknown], [other]: [string, unknown]): number {
  return one < other ? -1 : 1;
}
