import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { daysOf, previousMonth } from '../../domain/period.ts';
import {
  addObject,
  billNotes,
  checkBillableMonth,
  isMeasuredLate,
  monthFigures,
  nothingStored,
  snapshotOf,
} from '../../domain/storage.ts';
import type { AverageOver, DayUsage, MonthFigures } from '../../domain/storage.ts';
import { refusalOf } from './support.ts';

const petabyte = 10n ** 15n;
const past53 = 2n ** 53n;

/** Column by column, as one would do it on paper: slow and obvious. */
function onPaper(month: string, days: readonly DayUsage[], over: AverageOver): MonthFigures {
  let [sum, peak, recorded] = [0n, 0n, 0];
  const missingDays: string[] = [];
  for (const date of daysOf(month)) {
    const row = days.find((day) => day.date === date);
    if (row === undefined) {
      if (recorded > 0) missingDays.push(date);
      continue;
    }
    recorded += 1;
    const bytes = BigInt(row.totalStorageBytes);
    sum += bytes;
    if (bytes > peak) peak = bytes;
  }
  const divisor = BigInt(over === 'calendar-days' ? daysOf(month).length : recorded);
  const [whole, rest] = [sum / divisor, sum % divisor];
  const average = rest * 2n >= divisor ? whole + 1n : whole;
  return {
    dailyUsageSum: String(sum),
    totalStorageDays: recorded,
    averageStorageBytes: String(average),
    peakStorageBytes: String(peak),
    missingDays,
    lateDays: [],
  };
}

const anyMonth = fc.constantFrom('2026-02', '2024-02', '2026-04', '2026-12', '2100-02');
const anyBytes = fc.oneof(
  fc.bigInt(0n, 3n),
  fc.bigInt(past53 - 2n, past53 + 2n),
  fc.bigInt(0n, 10_000n * petabyte),
);
/** Some of a month's days, in any order. */
const anyDays = anyMonth.chain((month) =>
  fc.shuffledSubarray(daysOf(month), { minLength: 1 }).chain((dates) =>
    fc.array(anyBytes, { minLength: dates.length, maxLength: dates.length }).map((bytes) => ({
      month,
      days: dates.map((date, index) => ({ date, totalStorageBytes: String(bytes[index]) })),
    })),
  ),
);
const rows = (month: string, ...bytes: bigint[]): DayUsage[] =>
  bytes.map((amount, index) => ({
    date: daysOf(month)[index] ?? '',
    totalStorageBytes: String(amount),
  }));

describe('SB10 SB16 what a month comes to', () => {
  test('any month, rows in any order, petabytes, both averages: as on paper', () => {
    const over = fc.constantFrom<AverageOver[]>('recorded-days', 'calendar-days');
    const check = fc.check(
      fc.property(anyDays, over, ({ month, days }, averageOver) => {
        const expected = onPaper(month, days, averageOver);
        const figures = monthFigures(month, days, averageOver);
        return JSON.stringify(figures) === JSON.stringify(expected);
      }),
      { numRuns: 1000 },
    );
    expect(check.counterexample).toBeNull();
  });

  test('I9 one byte beside 31 petabytes is not lost', () => {
    const days = rows('2026-12', 31n * petabyte, ...Array.from({ length: 30 }, () => 0n));
    const last = { date: '2026-12-31', totalStorageBytes: '62' };
    const figures = monthFigures('2026-12', [...days.slice(0, 30), last], 'recorded-days');
    expect(figures).toEqual({
      dailyUsageSum: '31000000000000062',
      totalStorageDays: 31,
      averageStorageBytes: '1000000000000002',
      peakStorageBytes: '31000000000000000',
      missingDays: [],
      lateDays: [],
    });
  });

  test.each([
    ['half is rounded up', [1n, 2n], '2'],
    ['less than half down', [1n, 1n, 2n], '1'],
    ['more than half up', [1n, 2n, 2n], '2'],
    ['half past 2^53', [past53, past53 + 1n], String(past53 + 1n)],
    ['nothing', [0n, 0n, 0n], '0'],
  ])('%s', (_name, bytes, average) => {
    const figures = monthFigures('2026-02', rows('2026-02', ...bytes), 'recorded-days');
    expect(figures.averageStorageBytes).toBe(average);
  });

  test('a customer from the 27th on: over 2 recorded days, or over 28 of the calendar', () => {
    const days = ['2026-02-28', '2026-02-27'].map((date) => ({ date, totalStorageBytes: '1400' }));
    const recorded = monthFigures('2026-02', days, 'recorded-days');
    const calendar = monthFigures('2026-02', days, 'calendar-days');
    expect([recorded.averageStorageBytes, calendar.averageStorageBytes]).toEqual(['1400', '100']);
    expect([recorded.missingDays, calendar.totalStorageDays]).toEqual([[], 2]);
  });

  test('SB16 days before the first row are not missing, those after are, to the last', () => {
    const days = ['2026-02-03', '2026-02-05', '2026-02-26'].map((date) => ({
      date,
      totalStorageBytes: '1',
    }));
    const { missingDays } = monthFigures('2026-02', days, 'recorded-days');
    const expected = daysOf('2026-02').filter(
      (date) => date > '2026-02-03' && !['2026-02-05', '2026-02-26'].includes(date),
    );
    expect(missingDays).toEqual(expected);
    const note = `no snapshot on 23 day(s): ${expected.join(', ')}`;
    expect(billNotes({ missingDays })).toBe(note);
    expect(billNotes({ missingDays }, 'Stripe said no')).toBe(`${note}; Stripe said no`);
    expect(billNotes({ missingDays: [] })).toBeUndefined();
  });

  test('SB23 days measured late are named, in order, beside those that are missing', () => {
    const late = (date: string): DayUsage => ({ date, totalStorageBytes: '1', measuredLate: true });
    const days = [late('2026-02-27'), { date: '2026-02-24', totalStorageBytes: '1' }];
    const figures = monthFigures('2026-02', [...days, late('2026-02-25')], 'recorded-days');
    expect(figures.lateDays).toEqual(['2026-02-25', '2026-02-27']);
    expect(billNotes(figures)).toBe(
      'no snapshot on 2 day(s): 2026-02-26, 2026-02-28; ' +
        'measured late: 2 day(s): 2026-02-25, 2026-02-27',
    );
  });

  test.each([
    ['its first moment', '2026-02-11T00:00:00.000Z', false],
    ['its last', '2026-02-11T23:59:59.999Z', false],
    ['the next day', '2026-02-12T00:00:00.000Z', true],
    ['a month later', '2026-03-11T01:00:00.000Z', true],
  ])('SB23 a day measured at %s: late is %s', (_name, at, expected) => {
    expect(isMeasuredLate('2026-02-11', Date.parse(at))).toBe(expected);
  });

  test.each([
    ['no rows', []],
    ['a day twice', ['2026-02-01', '2026-02-01']],
    ['a day of the next month', ['2026-02-01', '2026-03-01']],
    ['a day of the same month last year', ['2025-02-01', '2026-02-01']],
    ['a day that does not exist', ['2026-02-01', '2026-02-29']],
    ['only a foreign day', ['2026-01-31']],
  ])('%s: refused', (_name, dates) => {
    const days = dates.map((date) => ({ date, totalStorageBytes: '1' }));
    for (const over of ['recorded-days', 'calendar-days'] as const) {
      expect(refusalOf(() => monthFigures('2026-02', days, over)).code).toBe('invalid_request');
    }
  });
});

describe('SB3 objects', () => {
  test.each([
    ['service/input/cus_1/a', 7, { bytes: 7n, files: 1 }],
    ['service/input/cus_1/empty', 0, { bytes: 0n, files: 1 }],
    ['service/input/cus_1/folder/', 0, { bytes: 0n, files: 0 }],
    ['service/input/cus_1/odd/', 3, { bytes: 3n, files: 1 }],
    ['service/input/cus_1/big', 5_000_000_000_000, { bytes: 5_000_000_000_000n, files: 1 }],
  ])('%s of %i bytes', (key, bytes, count) => {
    expect(addObject(nothingStored, key, bytes)).toEqual(count);
    expect(nothingStored).toEqual({ bytes: 0n, files: 0 });
  });

  test('a sum of objects passes 2^53 to the byte', () => {
    let count = nothingStored;
    for (let index = 0; index < 2000; index += 1) count = addObject(count, 'k', 5 * 10 ** 12);
    expect(addObject(count, 'k', 1)).toEqual({ bytes: 10n * petabyte + 1n, files: 2001 });
  });

  test('a snapshot adds both sides and knows its month', () => {
    const input = { bytes: past53, files: 3 };
    expect(snapshotOf('cus_1', '2026-02-28', input, { bytes: 1n, files: 2 })).toEqual({
      customerId: 'cus_1',
      date: '2026-02-28',
      totalStorageBytesInput: String(past53),
      totalStorageBytesOutput: '1',
      totalStorageBytes: '9007199254740993',
      fileCountInput: 3,
      fileCountOutput: 2,
      totalFileCount: 5,
      billingMonth: '2026-02',
    });
  });
});

describe('SB18 which month may be billed when', () => {
  const may = (month: string, now: string): void => {
    checkBillableMonth(month, Date.parse(now));
  };

  test.each([
    ['the nominal run', '2026-02', '2026-03-01T02:00:00.000Z'],
    ['the first moment after the month', '2026-02', '2026-03-01T00:00:00.000Z'],
    ['a run that is a day late', '2026-02', '2026-03-02T02:00:00.000Z'],
    ['the last moment of the 35 days', '2026-02', '2026-04-04T23:59:59.000Z'],
    ['December in January', '2025-12', '2026-01-01T02:00:00.000Z'],
    ['February of a leap year', '2024-02', '2024-04-04T23:59:59.000Z'],
  ])('%s: %s at %s', (_name, month, now) => {
    expect(() => may(month, now)).not.toThrow();
  });

  test.each([
    ['its last second', '2026-02', '2026-02-28T23:59:59.000Z', 'is not over yet'],
    ['its last millisecond', '2026-02', '2026-02-28T23:59:59.999Z', 'is not over yet'],
    ['in the middle of it', '2026-02', '2026-02-14T00:00:00.000Z', 'is not over yet'],
    ['a future month', '2026-12', '2026-03-01T02:00:00.000Z', 'from 2027-01-01T00:00:00Z on'],
    [
      'a millisecond after 35 days',
      '2026-02',
      '2026-04-04T23:59:59.001Z',
      'older than the 35 days',
    ],
    ['the month before last', '2026-01', '2026-03-08T00:00:00.000Z', 'older than the 35 days'],
  ])('refused: %s', (_name, month, now, reason) => {
    const { code, message } = refusalOf(() => may(month, now));
    expect([code, message.includes(reason)]).toEqual(['invalid_request', true]);
  });

  test('SB8 the run of 2026-03-01 bills 2026-02, and may', () => {
    const month = previousMonth('2026-03-01');
    expect(month).toBe('2026-02');
    expect(() => may(month, '2026-03-01T02:00:00.000Z')).not.toThrow();
  });
});
