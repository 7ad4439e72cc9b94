/**
 * Casts let through while the tables do not answer: for customers whose budget had room when it was last
 * seen, and no more than a stated number a process until the tables answer again (GA5, I7).
 */
import { LRUCache } from 'lru-cache';
import { leftCents, noLimitCents, roomFor } from '../domain/budgets.ts';
import type { UsageCounter } from '../domain/budgets.ts';

/** Customers whose room is remembered, the last ones seen. */
const mostCustomers = 10_000;

export type OutageAllowance = ReturnType<typeof createOutageAllowance>;

/** `mostCasts` is 0 where casts are refused during an outage. */
export function createOutageAllowance(mostCasts: number) {
  const room = new LRUCache<string, number>({ max: mostCustomers });
  let taken = 0;
  return {
    /** What the tables said; they answer, so a new outage has its whole allowance again. */
    learn: (counter: UsageCounter): void => {
      room.set(counter.customerId, leftCents(counter) ?? noLimitCents);
      taken = 0;
    },
    /** Whether one more may pass; it is counted then. */
    take: (customerId: string, cents: number): boolean => {
      const left = room.get(customerId);
      if (left === undefined || left < roomFor(cents) || taken >= mostCasts) return false;
      room.set(customerId, left - cents);
      taken += 1;
      return true;
    },
    /** It did not run after all. */
    giveBack: (customerId: string, cents: number): void => {
      const left = room.get(customerId);
      if (left !== undefined) room.set(customerId, left + cents);
      // The tables may have answered in between, which gave the whole allowance back.
      taken = Math.max(0, taken - 1);
    },
  };
}
