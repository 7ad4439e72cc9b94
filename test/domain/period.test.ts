import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  dayOf,
  daysBetween,
  daysOf,
  lastSecondOf,
  monthOf,
  parseDay,
  parseMonth,
  previousMonth,
} from '../../domain/period.ts';
import { anyText, iso, refusalOf } from './support.ts';

/** The calendar by its rules, with no Date. */
const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
const lengthOf = (year: number, month: number): number => {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
};
const two = (value: number): string => String(value).padStart(2, '0');
const anyYear = fc.integer({ min: 1970, max: 2199 });
const anyMonth = fc.integer({ min: 1, max: 12 });
const hostile = [
  '',
  ' 2026-02-01',
  '2026-02-01 ',
  '2026-02-01\n',
  '2026-2-1',
  '26-02-01',
  '02026-02-01',
  '2026-00-10',
  '2026-13-01',
  '2026-01-00',
  '2026-01-32',
  '2026-04-31',
  '2026-02-29',
  '2100-02-29',
  '2026/02/01',
  '2026-02-01T00:00:00Z',
  '+002026-02-01',
  '-2026-02-01',
  '２０２６-02-01',
  '2026-02-01\u0000',
  "2026-02-01' OR 1",
  '__proto__',
  'x'.repeat(10_000),
];

describe('days', () => {
  test.each(['2026-02-28', '2024-02-29', '2028-02-29', '2000-02-29', '2100-02-28', '2026-12-31'])(
    '%s is a day',
    (day) => {
      expect(parseDay(day)).toBe(day);
    },
  );

  test.each(hostile)('%j is refused as a day', (value) => {
    expect(refusalOf(() => parseDay(value)).code).toBe('invalid_request');
  });

  test('I9 SB1 any text is a day of the calendar or refused, in short and printable words', () => {
    const check = fc.check(
      fc.property(anyText(30), (value) => {
        const { code, message } = refusalOf(() => parseDay(value));
        return code === 'invalid_request' && message.length < 90 && !/\p{Cc}/u.test(message);
      }),
    );
    expect(check.counterexample).toBeNull();
  });

  test('exactly the days of the calendar are taken', () => {
    const parts = fc.tuple(anyYear, fc.nat(14), fc.nat(33));
    const check = fc.check(
      fc.property(parts, ([year, month, day]) => {
        const value = `${year}-${two(month)}-${two(day)}`;
        const real = month >= 1 && month <= 12 && day >= 1 && day <= lengthOf(year, month);
        if (real) return parseDay(value) === value;
        return refusalOf(() => parseDay(value)).code === 'invalid_request';
      }),
      { numRuns: 2000 },
    );
    expect(check.counterexample).toBeNull();
  });

  test.each([
    ['2026-02-28T23:59:59.999Z', '2026-02-28'],
    ['2026-03-01T00:00:00.000Z', '2026-03-01'],
    ['2025-12-31T23:59:59.999Z', '2025-12-31'],
    ['2026-03-01T08:30:00.000+09:00', '2026-02-28'],
  ])('the day of %s is %s, in UTC', (moment, day) => {
    expect(dayOf(Date.parse(moment))).toBe(day);
  });
});

describe('months', () => {
  test.each([
    '2026-2',
    '2026-02-01',
    '2026-00',
    '2026-13',
    '2026',
    '',
    '2026-02\n',
    ' 2026-02',
    '2026-1e',
    '20260-2',
    '２０２６-02',
    'x'.repeat(10_000),
  ])('%j is refused as a month', (value) => {
    const { code, message } = refusalOf(() => parseMonth(value));
    expect([code, message.length < 90, /\p{Cc}/u.test(message)]).toEqual([
      'invalid_request',
      true,
      false,
    ]);
  });

  test('every month has its own length, first day and last second (SB11)', () => {
    for (let year = 1970; year < 2200; year += 1) {
      for (let month = 1; month <= 12; month += 1) {
        const name = `${year}-${two(month)}`;
        const length = lengthOf(year, month);
        const days = Array.from({ length }, (_, index) => `${name}-${two(index + 1)}`);
        expect(daysOf(parseMonth(name))).toEqual(days);
        expect(lastSecondOf(name)).toBe(`${name}-${two(length)}T23:59:59.000Z`);
      }
    }
  });

  test.each([
    ['2024-02', 29],
    ['2028-02', 29],
    ['2000-02', 29],
    ['2026-02', 28],
    ['2100-02', 28],
  ])('%s has %i days', (month, length) => {
    expect(daysOf(month)).toHaveLength(length);
  });

  test('SB11 the second after the last second is the next month', () => {
    const next = Date.parse(lastSecondOf('2026-12')) + 1000;
    expect(iso(next)).toBe('2027-01-01T00:00:00.000Z');
  });
});

describe('SB8 the month before', () => {
  test.each([
    ['2026-03-01', '2026-02'],
    ['2026-03-31', '2026-02'],
    ['2026-05-31', '2026-04'],
    ['2026-12-31', '2026-11'],
    ['2026-01-01', '2025-12'],
    ['2026-01-31', '2025-12'],
    ['2024-03-01', '2024-02'],
    ['2024-02-29', '2024-01'],
    ['2000-01-01', '1999-12'],
  ])('on %s it is %s', (day, month) => {
    expect(previousMonth(day)).toBe(month);
  });

  test('of any day: the month before its own, whatever their lengths', () => {
    const check = fc.check(
      fc.property(anyYear, anyMonth, fc.nat(30), (year, month, offset) => {
        const day = `${year}-${two(month)}-${two(1 + (offset % lengthOf(year, month)))}`;
        const before = month === 1 ? `${year - 1}-12` : `${year}-${two(month - 1)}`;
        return previousMonth(day) === before && monthOf(day) === `${year}-${two(month)}`;
      }),
    );
    expect(check.counterexample).toBeNull();
  });
});

describe('SB1 days from one to another', () => {
  test.each([
    ['2026-02-27', '2026-03-02', ['2026-02-27', '2026-02-28', '2026-03-01', '2026-03-02']],
    ['2024-02-28', '2024-03-01', ['2024-02-28', '2024-02-29', '2024-03-01']],
    ['2025-12-31', '2026-01-01', ['2025-12-31', '2026-01-01']],
    ['2026-06-15', '2026-06-15', ['2026-06-15']],
  ])('%s to %s', (from, to, days) => {
    expect(daysBetween(from, to)).toEqual(days);
  });

  test('a whole year is its months one after the other', () => {
    const months = Array.from({ length: 12 }, (_, index) => daysOf(`2028-${two(index + 1)}`));
    expect(daysBetween('2028-01-01', '2028-12-31')).toEqual(months.flat());
    expect(months.flat()).toHaveLength(366);
  });

  test.each([
    ['2026-03-02', '2026-03-01'],
    ['2026-02-29', '2026-03-01'],
    ['2026-02-01', '2026-02-30'],
    ['', '2026-02-01'],
  ])('from %j to %j is refused', (from, to) => {
    expect(refusalOf(() => daysBetween(from, to)).code).toBe('invalid_request');
  });
});
