/**
 * Who was refused within the last second, and by what: the next cast of such a customer is looked at by a
 * read that others share, before anything is written for it. Only a hint: what it leads to is decided anew.
 */
import { LRUCache } from 'lru-cache';

type Refusal = 'budget' | 'rate';

const defaultMs = 1000;
const mostCustomers = 10_000;

export type Refusals = ReturnType<typeof createRefusals>;

export function createRefusals(rememberedMs = defaultMs) {
  const last = new LRUCache<string, Refusal>({ max: mostCustomers, ttl: rememberedMs });
  return {
    note: (customerId: string, by: Refusal): void => {
      last.set(customerId, by);
    },
    last: (customerId: string): Refusal | undefined => last.get(customerId),
  };
}
