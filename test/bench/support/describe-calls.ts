import type { Figure, Section } from './benchmark.ts';
import type { CallCount } from './counting-proxy.ts';

/** What each customer or job takes of S3 and DynamoDB. */
export function describeCalls(what: string, count: number, { calls }: CallCount): Section {
  const figures = [...calls]
    .toSorted(byName)
    .flatMap(([name, { calls: made, units }]): Figure[] => {
      const each: Figure = { name: `${name}, calls`, value: made / count, unit: 'fine' };
      if (units === 0) return [each];
      return [each, { name: '  capacity units', value: units / count, unit: 'fine' }];
    });
  return { title: `calls per ${what}, counted on the wire over ${count}`, figures };
}

function byName([one]: [string, unknown], [other]: [string, unknown]): number {
  return one < other ? -1 : 1;
}
