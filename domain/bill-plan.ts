/**
 * What becomes of a customer's storage month: decided here once, carried out by the activity
 * `prepareBill`, printed by `durabill bill month --dry-run`.
 */
import type { DeadLetterStatus } from './dead-letters.ts';
import { checkBillableMonth } from './storage.ts';
import type { DeliveryState } from './usage.ts';

/** What the tables say about the month, as far as anything is there. */
export interface BillFacts {
  month: string;
  nowMs: number;
  bill: 'billed' | 'failed' | 'pending' | undefined;
  /** Of the bill's usage record. */
  usage: DeliveryState | undefined;
  /** The status of the bill's dead letter. */
  letter: DeadLetterStatus | undefined;
}

/** `kept`: those of the bill, whose usage is recorded. `worked-out`: anew, from the daily rows. */
export type BillFigures = 'kept' | 'worked-out';

export type BillPlan =
  /** It was billed. */
  | { action: 'skip' }
  /** A person discarded its dead letter: nothing happens until it is redriven by name (SB24). */
  | { action: 'leave' }
  /** Stripe has the usage: only the days are to be marked and the bill to be closed. */
  | { action: 'finish'; figures: BillFigures }
  /** For the first time, or once more (SB15). */
  | { action: 'bill' | 'retry'; figures: BillFigures };

/**
 * Throws BillingError for figures that would have to be worked out for a month that is not over, or too
 * old for Stripe (SB18); what was recorded in time goes on however late it is.
 */
export function planBill({ month, nowMs, bill, usage, letter }: BillFacts): BillPlan {
  if (bill === 'billed') return { action: 'skip' };
  // What Stripe has is on the customer's invoice, whatever was discarded.
  if (letter === 'discarded' && usage !== 'delivered') return { action: 'leave' };
  const figures = bill !== undefined && usage !== undefined ? 'kept' : 'worked-out';
  if (figures === 'worked-out') checkBillableMonth(month, nowMs);
  if (usage === 'delivered') return { action: 'finish', figures };
  return { action: bill === undefined ? 'bill' : 'retry', figures };
}
