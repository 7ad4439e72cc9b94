/** Days and months in UTC, as strings that sort: `2026-02-28`, `2026-02`. No clock: time comes in. */
import { BillingError } from './errors.ts';
import { printable } from './ids.ts';

const dayMs = 86_400_000;

/** Throws BillingError `invalid_request` for what is not a day of the calendar. */
export function parseDay(value: string): string {
  const ms = Date.parse(`${value}T00:00:00.000Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value) || Number.isNaN(ms) || dayOf(ms) !== value) {
    throw new BillingError(
      'invalid_request',
      `"${printable(value.slice(0, 40))}" is not a day (YYYY-MM-DD)`,
    );
  }
  return value;
}

/** Throws BillingError `invalid_request` for what is not a month of the calendar. */
export function parseMonth(value: string): string {
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(value)) {
    throw new BillingError(
      'invalid_request',
      `"${printable(value.slice(0, 40))}" is not a month (YYYY-MM)`,
    );
  }
  return value;
}

/** The day that holds a moment (ms since the epoch, UTC). */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

export function monthOf(day: string): string {
  return day.slice(0, 7);
}

/** The calendar month before the one that holds a day. */
export function previousMonth(day: string): string {
  return monthOf(dayOf(Date.parse(`${monthOf(day)}-01T00:00:00.000Z`) - dayMs));
}

/** Every day of a month, in order. */
export function daysOf(month: string): string[] {
  const firstMs = Date.parse(`${month}-01T00:00:00.000Z`);
  const days: string[] = [];
  for (let ms = firstMs; monthOf(dayOf(ms)) === month; ms += dayMs) days.push(dayOf(ms));
  return days;
}

/** Every day from `from` to `to`, both included; throws BillingError when they are the wrong way round. */
export function daysBetween(from: string, to: string): string[] {
  const [fromMs, toMs] = [Date.parse(parseDay(from)), Date.parse(parseDay(to))];
  if (toMs < fromMs) throw new BillingError('invalid_request', `${to} is before ${from}`);
  return Array.from({ length: (toMs - fromMs) / dayMs + 1 }, (_, index) =>
    dayOf(fromMs + index * dayMs),
  );
}

/** The last second of a month: usage stamped with it lands in that month's invoice (SB11). */
export function lastSecondOf(month: string): string {
  return `${daysOf(month).at(-1) ?? month}T23:59:59.000Z`;
}

/** A month as a span of time, its end not included; ISO 8601. */
export function spanOf(month: string): { start: string; end: string } {
  const endMs = Date.parse(lastSecondOf(month)) + 1000;
  return { start: `${month}-01T00:00:00.000Z`, end: new Date(endMs).toISOString() };
}

/** Every month of which the span holds a moment, in order. */
export function monthsIn({ start, end }: { start: string; end: string }): string[] {
  const months: string[] = [];
  for (let from = start; from < end; from = spanOf(monthOf(from)).end) months.push(monthOf(from));
  return months;
}
