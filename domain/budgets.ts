/**
 * Hard budgets: what a customer may spend in a calendar month (UTC), in whole cents. Two numbers are
 * kept apart, as in accounting: `reserved` is set aside before a cast runs, `used` is what casts that
 * have ended really cost. What is left is the limit less both, and the limit is tested at the
 * reservation only, so that settling can never fail (I7, GA1, GA2).
 */
import { BillingError } from './errors.ts';
import { amountOf } from './money.ts';

/** The largest limit, ten billion dollars in cents: sums of it stay whole numbers in any arithmetic. */
export const mostBudgetCents = 1_000_000_000_000;
/** Stands for the limit of a customer without a budget; never reached by what we count. */
export const noLimitCents = 9_000_000_000_000_000;
/**
 * Reservations that one customer may hold at the same time. They stand in the counter's item, which is
 * written with each cast and is priced by its size: 400 of some 90 bytes are 36 KB.
 */
export const mostOpenReservations = 400;

export interface Budget {
  customerId: string;
  hardLimitCents: number;
  /** Passing it alerts once a month, and stops nothing (GA7). */
  softLimitCents?: number;
  period: 'monthly';
  /** Goes up with each change: a counter knows by it which budget it was made from. */
  version: number;
  updatedAt: string;
}

/** One customer's month. */
export interface UsageCounter {
  customerId: string;
  /** YYYY-MM, UTC. */
  period: string;
  usedCents: number;
  reservedCents: number;
  /** Absent without a budget. */
  hardLimitCents?: number;
  softLimitCents?: number;
  /** Of the budget that it was made from; 0 when there was none. */
  budgetVersion: number;
  /** When the soft limit was passed for the first time. */
  softLimitPassedAt?: string;
}

/** What a cast sets aside; it belongs to the processing of the same id, and to its month for good (GA12). */
export interface Reservation {
  customerId: string;
  period: string;
  reservationId: string;
  cents: number;
  /** Drawn when it was set aside: an id that is set aside again later is another reservation. */
  token: string;
}

/** Throws BillingError `invalid_request`. */
export function checkBudget(budget: { hardLimitCents: number; softLimitCents?: number }): void {
  const { hardLimitCents, softLimitCents } = budget;
  checkCents('hardLimitCents', hardLimitCents);
  if (softLimitCents === undefined) return;
  checkCents('softLimitCents', softLimitCents);
  if (softLimitCents > hardLimitCents) {
    throw new BillingError('invalid_request', 'softLimitCents must not pass hardLimitCents');
  }
}

function checkCents(name: string, cents: number): void {
  if (Number.isSafeInteger(cents) && cents >= 0 && cents <= mostBudgetCents) return;
  throw new BillingError(
    'invalid_request',
    `${name} must be whole cents from 0 to ${mostBudgetCents}`,
  );
}

/** What may still be reserved, never below nothing (a limit may be lowered under what was spent). */
export function leftCents(
  counter: Pick<UsageCounter, 'hardLimitCents' | 'usedCents' | 'reservedCents'>,
): number | undefined {
  const { hardLimitCents, usedCents, reservedCents } = counter;
  if (hardLimitCents === undefined) return undefined;
  return Math.max(0, hardLimitCents - usedCents - reservedCents);
}

/** Whether it is time to tell that the soft limit is passed: once a month (GA7). */
export function isSoftLimitNew(
  counter: Pick<
    UsageCounter,
    'softLimitCents' | 'usedCents' | 'reservedCents' | 'softLimitPassedAt'
  >,
): boolean {
  const { softLimitCents, usedCents, reservedCents, softLimitPassedAt } = counter;
  if (softLimitCents === undefined || softLimitPassedAt !== undefined) return false;
  return usedCents + reservedCents > softLimitCents;
}

/** Room that a reservation needs: one that costs nothing is still refused when nothing is left. */
export function roomFor(cents: number): number {
  return Math.max(1, cents);
}

/** What a cast costs: configuration, and where bytes are priced, the bytes. */
export interface CastPrice {
  centsPerCast: number;
  /** Decimal string of cents. */
  centsPerByte: string;
}

/**
 * Cents of a cast, whole: the part of a cent that the bytes leave is rounded half up, once, for the
 * sum of all files. Throws BillingError `too_large` where the cents cannot be counted exactly.
 */
export function castCents(
  { centsPerCast, centsPerByte }: CastPrice,
  bytes: number | bigint,
): number {
  const cents = BigInt(centsPerCast) + amountOf(BigInt(bytes), centsPerByte);
  if (cents > BigInt(mostBudgetCents)) {
    throw new BillingError('too_large', 'the cast costs more than any budget may hold');
  }
  return Number(cents);
}
