/** The usage record: an immutable row of the ledger, and the state of its delivery to Stripe. */
import { BillingError } from './errors.ts';
import type { Life } from './life.ts';

export type Meter = 'file_processed' | 'storage-usage';

/**
 * `pending` → `sending` → `delivered`, or `rejected` (Stripe said never), or `parked` (a dead letter:
 * retries ran out).
 */
export const deliveryStates = ['pending', 'sending', 'delivered', 'rejected', 'parked'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/**
 * What made the usage; its workflow is told how the delivery ended. `id` is the processing's, or
 * `<customerId>/<month>` of a storage bill.
 */
export interface UsageSource {
  kind: 'processing' | 'storage';
  id: string;
}

/**
 * How it is known that a meter event is at Stripe (DL2, DL17): `answer`, taken in answer to our call;
 * `already-there`, an earlier call had brought it; `sums`, by Stripe's own sums; `person`, somebody looked.
 * Only the first tells when Stripe got it.
 */
export const proofs = ['answer', 'already-there', 'sums', 'person'] as const;
export interface Proof {
  by: (typeof proofs)[number];
  /** When that was known, ISO 8601 UTC. */
  at: string;
}

/** What is fixed when the record is written. `quantity` is a string of digits, `occurredAt` ISO 8601 UTC. */
export interface Usage {
  identifier: string;
  customerId: string;
  meter: Meter;
  quantity: string;
  occurredAt: string;
  source: UsageSource;
}

export interface UsageRecord extends Usage, Life {
  recordedAt: string;
  state: DeliveryState;
  /** Calls to Stripe begun. */
  attempts: number;
  /** Times that a whole round of retries was used up. */
  rounds: number;
  firstAttemptAt?: string;
  lastAttemptAt?: string;
  /** The first call since Stripe was last known not to have the usage: it may have arrived (DL14). */
  doubtSince?: string;
  nextAttemptAt?: string;
  /** When this series of rounds began: the first attempt, or the last redrive. */
  retryingSince?: string;
  deliveredAt?: string;
  /** Why it is not tried any more; what is in doubt is asked about once more before it is parked (DL14). */
  gaveUp?: string;
  /** Stripe refused a call of it, whatever an earlier one may have brought: why it is rejected (DL14). */
  refusal?: string;
  /** Of a quantity that takes several meter events: the places of those that are known to have arrived. */
  arrived?: number[];
  /** How each event that is known to have arrived is known to, by its place. */
  provenBy?: Record<string, Proof>;
  /** How often Stripe took an event and refused it afterwards, by the event's place (DL17). */
  refusals?: Record<string, number>;
  /** Stripe replayed a saved error: further attempts need a key of their own. */
  freshKey: boolean;
  error?: string;
}

/** Told to the workflow that made the usage, when its delivery ended or was put off. */
export interface UsageSettled {
  identifier: string;
  state: DeliveryState;
  error?: string;
}

/** Zero usage is a row of the ledger and no meter event (FM9). */
export function needsDelivery(usage: Usage): boolean {
  return BigInt(usage.quantity) > 0n;
}

/** The same identifier must always mean the same usage (DL1): the facts that differ, or none. */
export function conflictingFacts(stored: Usage, offered: Usage): string[] {
  const facts = ['customerId', 'meter', 'quantity', 'occurredAt'] as const;
  return facts
    .filter((fact) => stored[fact] !== offered[fact])
    .map((fact) => `${fact} is ${stored[fact]}, not ${offered[fact]}`);
}

/** A string of digits only, without leading zeros: equal quantities are equal strings (I9). */
export function parseQuantity(value: string): string {
  if (!/^(0|[1-9][0-9]{0,30})$/.test(value)) {
    // Shown with its control characters escaped, and short.
    const shown = JSON.stringify(value.slice(0, 40));
    throw new BillingError('invalid_request', `${shown} is not a whole number of bytes`);
  }
  return value;
}
