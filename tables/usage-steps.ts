/** Steps that more than one way leads to: delivered, and waiting again. */
import { deliveryShard } from '../domain/ids.ts';
import type { Proof, UsageRecord } from '../domain/usage.ts';
import type { Step } from './usage-transition.ts';

export function delivery(
  now: string,
  how: string,
  provenBy: Record<string, Proof> | undefined,
): Step {
  return {
    now,
    what: how,
    set: { state: 'delivered', deliveredAt: now, ...(provenBy === undefined ? {} : { provenBy }) },
    remove: [
      'deliveryShard',
      'nextAttemptAt',
      'error',
      'arrived',
      'doubtSince',
      'gaveUp',
      'refusal',
    ],
  };
}

export function waiting(record: UsageRecord, now: string, what: string): Step {
  return {
    now,
    what,
    set: {
      state: 'pending',
      deliveryShard: deliveryShard(record.customerId, record.meter),
      nextAttemptAt: now,
      retryingSince: now,
      // Stripe replays the answer it saved under the old key, a refusal as well.
      freshKey: true,
      rounds: 0,
    },
    remove: ['gaveUp', 'refusal'],
  };
}
