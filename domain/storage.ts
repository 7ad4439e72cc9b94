/** Storage: what is stored at one moment, and what a month of it comes to. Exact for petabytes. */
import { refusedTimestamp } from './delivery.ts';
import { BillingError } from './errors.ts';
import { roundHalfUp } from './money.ts';
import { dayOf, daysOf, lastSecondOf, monthOf } from './period.ts';

export type AverageOver = 'recorded-days' | 'calendar-days';

/** Objects below one prefix. */
export interface StorageCount {
  bytes: bigint;
  files: number;
}

export const nothingStored: StorageCount = { bytes: 0n, files: 0 };

/** Counts one object. A folder marker (zero bytes, key ends in `/`) is no file (SB3). */
export function addObject(count: StorageCount, key: string, bytes: number): StorageCount {
  const isMarker = bytes === 0 && key.endsWith('/');
  return { bytes: count.bytes + BigInt(bytes), files: count.files + (isMarker ? 0 : 1) };
}

/** A day's row, without its billing. Bytes are strings of digits. */
export interface Snapshot {
  customerId: string;
  date: string;
  totalStorageBytesInput: string;
  totalStorageBytesOutput: string;
  totalStorageBytes: string;
  fileCountInput: number;
  fileCountOutput: number;
  totalFileCount: number;
  billingMonth: string;
}

export function snapshotOf(
  customerId: string,
  date: string,
  input: StorageCount,
  output: StorageCount,
): Snapshot {
  return {
    customerId,
    date,
    totalStorageBytesInput: String(input.bytes),
    totalStorageBytesOutput: String(output.bytes),
    totalStorageBytes: String(input.bytes + output.bytes),
    fileCountInput: input.files,
    fileCountOutput: output.files,
    totalFileCount: input.files + output.files,
    billingMonth: monthOf(date),
  };
}

/** What a customer's month comes to (SB10); sums as strings of digits. */
export interface MonthFigures {
  dailyUsageSum: string;
  totalStorageDays: number;
  averageStorageBytes: string;
  peakStorageBytes: string;
  /** Days without a row between the customer's first row and the end of the month (SB16). */
  missingDays: string[];
  /** Days that were filled in after they were over (SB23). */
  lateDays: string[];
}

export interface DayUsage {
  date: string;
  totalStorageBytes: string;
  measuredLate?: true;
}

/** A day is measured on its day, or late: what is stored later is not what was stored then (SB23). */
export function isMeasuredLate(date: string, measuredAtMs: number): boolean {
  return dayOf(measuredAtMs) !== date;
}

/** `days` are one customer's rows of the month, in any order; none is a mistake of the caller. */
export function monthFigures(
  month: string,
  days: readonly DayUsage[],
  averageOver: AverageOver,
): MonthFigures {
  const calendar = daysOf(month);
  const usage = new Map(
    days.map(({ date, totalStorageBytes }) => [date, BigInt(totalStorageBytes)]),
  );
  const first = calendar.find((date) => usage.has(date));
  if (
    first === undefined ||
    usage.size !== days.length ||
    days.some(({ date }) => !calendar.includes(date))
  ) {
    throw new BillingError('invalid_request', `not one row for each of some days of ${month}`);
  }
  const amounts = [...usage.values()];
  const sum = amounts.reduce((total, bytes) => total + bytes, 0n);
  const divisor = averageOver === 'calendar-days' ? calendar.length : usage.size;
  return {
    dailyUsageSum: String(sum),
    totalStorageDays: usage.size,
    averageStorageBytes: String(roundHalfUp(sum, BigInt(divisor))),
    peakStorageBytes: String(amounts.reduce((peak, bytes) => (bytes > peak ? bytes : peak), 0n)),
    missingDays: calendar.filter((date) => date > first && !usage.has(date)),
    lateDays: days.flatMap(({ date, measuredLate }) => (measuredLate ? [date] : [])).toSorted(),
  };
}

/** A bill's `notes`: days that are missing or were measured late, and why it failed; undefined without any. */
export function billNotes(
  { missingDays, lateDays = [] }: { missingDays: readonly string[]; lateDays?: readonly string[] },
  failure?: string,
): string | undefined {
  const notes = [
    daysNote('no snapshot on', missingDays),
    daysNote('measured late:', lateDays),
    failure,
  ].filter((note) => note !== undefined);
  return notes.length === 0 ? undefined : notes.join('; ');
}

function daysNote(what: string, days: readonly string[]): string | undefined {
  return days.length === 0 ? undefined : `${what} ${days.length} day(s): ${days.join(', ')}`;
}

/** Throws BillingError when a month cannot be billed now: not over yet, or too old for Stripe (SB18). */
export function checkBillableMonth(month: string, nowMs: number): void {
  const last = lastSecondOf(month);
  const overMs = Date.parse(last) + 1000;
  if (nowMs < overMs) {
    const from = `${dayOf(overMs)}T00:00:00Z`;
    throw new BillingError('invalid_request', `${month} is not over yet: bill it from ${from} on`);
  }
  const refusal = refusedTimestamp(last, nowMs);
  if (refusal !== undefined) {
    throw new BillingError('invalid_request', `${month} cannot be billed any more: ${refusal}`);
  }
}
