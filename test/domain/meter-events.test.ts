import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  laterEventOf,
  meterEventsOf,
  refusedQuantity,
  parseEventName,
} from '../../domain/meter-events.ts';

const largest = 999_999_999_999_999n;
const of = (quantity: bigint, identifier = 'job') =>
  meterEventsOf({ identifier, quantity: String(quantity) });

describe('DL7 values of more than 15 digits are split into events whose sum is exact', () => {
  test.each<[string, [string, string][]]>([
    ['1', [['job', '1']]],
    ['999999999999999', [['job', '999999999999999']]],
    [
      '1000000000000000',
      [
        ['job', '999999999999999'],
        ['job.2', '1'],
      ],
    ],
    [
      '9007199254740993',
      [
        ...Array.from({ length: 9 }, (_, index): [string, string] => [
          index === 0 ? 'job' : `job.${index + 1}`,
          '999999999999999',
        ]),
        ['job.10', '7199254741002'],
      ],
    ],
    ['0', []],
  ])('DL7 %s', (quantity, expected) => {
    const events = meterEventsOf({ identifier: 'job', quantity });
    expect(events.map(({ identifier, value }) => [identifier, value])).toEqual(expected);
  });

  test('DL7 any quantity up to the limit: exact, 15 digits at most, names of their own', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 99n * largest }), (quantity) => {
        const events = of(quantity);
        expect(events.reduce((sum, { value }) => sum + BigInt(value), 0n)).toBe(quantity);
        expect(events.every(({ value }) => /^[1-9][0-9]{0,14}$/.test(value))).toBe(true);
        expect(new Set(events.map(({ identifier }) => identifier)).size).toBe(events.length);
        for (const [index, { identifier }] of events.entries()) {
          const later = index === 0 ? undefined : { identifier: 'job', place: index + 1 };
          expect(laterEventOf(identifier)).toEqual(later);
        }
      }),
    );
  });

  test('DL7 more than 99 events are refused, and never made', () => {
    const most = { identifier: 'job', quantity: String(99n * largest) };
    expect(refusedQuantity(most)).toBeUndefined();
    const more = { identifier: 'job', quantity: String(99n * largest + 1n) };
    expect(refusedQuantity(more)).toBe(
      `value ${more.quantity} would take more than 99 meter events of 15 digits`,
    );
    expect(of(10n ** 30n)).toHaveLength(99);
  });

  test('DL7 an identifier that would grow past 100 characters is refused', () => {
    const identifier = 'j'.repeat(99);
    expect(refusedQuantity({ identifier, quantity: '5' })).toBeUndefined();
    expect(refusedQuantity({ identifier, quantity: String(2n * largest) })).toBe(
      `identifier ${identifier}.2 has more than the 100 characters that Stripe accepts`,
    );
  });

  test.each(['job', 'job.1', 'job.0', 'job.02', 'job.100', '.2', 'job.x', 'job.2.'])(
    'DL7 %s is no later event’s name',
    (identifier) => {
      expect(laterEventOf(identifier)).toBeUndefined();
    },
  );
});

describe('DL17 an event that Stripe took and refused goes under another name', () => {
  const named = (refusals: Record<string, number>, identifier = 'job', quantity = '7') =>
    meterEventsOf({ identifier, quantity, refusals }).map((event) => event.identifier);

  test('DL17 each refusal makes a name of its own, for that event alone', () => {
    expect(named({})).toEqual(['job']);
    expect(named({ 1: 1 })).toEqual(['job~2']);
    expect(named({ 1: 2 })).toEqual(['job~3']);
    expect(named({ 2: 1 }, 'job', '2000000000000000')).toEqual(['job', 'job.2~2', 'job.3']);
  });

  test.each([
    ['job', 'job', 0],
    ['job~2', 'job', 1],
    ['job.2~3', 'job.2', 2],
    ['job.2', 'job.2', 0],
    ['job~2/attempt-14', 'job', 1],
    ['job/attempt-3', 'job', 0],
  ])('DL17 %s is %s after %i refusals', (name, base, refusals) => {
    expect(parseEventName(name)).toEqual({ name: base, refusals });
  });

  test('DL17 a name that would be too long is shortened, and still nobody else’s', () => {
    const identifier = 'j'.repeat(100);
    const other = `${'j'.repeat(99)}k`;
    const [event] = meterEventsOf({ identifier, quantity: '7', refusals: { 1: 1 } });
    expect(event?.name).toBe(`${identifier}~2`);
    expect(event?.identifier).toMatch(/^j{80}~[0-9a-f]{16}$/);
    const names = [
      named({ 1: 1 }, identifier),
      named({ 1: 2 }, identifier),
      named({ 1: 1 }, other),
    ];
    expect(new Set(names.flat()).size).toBe(3);
  });
});
