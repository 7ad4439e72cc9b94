import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catalogItem } from '../../domain/catalog.ts';
import { priceOf } from '../../domain/money.ts';
import { monthsIn, spanOf } from '../../domain/period.ts';
import { addUsage, noUsage, statementOf } from '../../domain/usage-statement.ts';
import { deliveryStates } from '../../domain/usage.ts';
import type { DeliveryState, Meter } from '../../domain/usage.ts';

type Told = [meter: Meter, state: DeliveryState, quantity: string];

function sumsOf(records: readonly Told[]) {
  const sums = noUsage();
  for (const [meter, state, quantity] of records) addUsage(sums, { meter, state, quantity });
  return sums;
}

const amounts = (records: readonly Told[], estimate?: bigint) =>
  statementOf(sumsOf(records), estimate).lines.map(
    ({ meter, state, quantity, amountCents }) =>
      `${meter} ${state}: ${quantity} for ${amountCents}`,
  );

describe('GA15 a period in money', () => {
  test('GA15 nothing used: a line of nothing for each meter, as Stripe’s invoice has', () => {
    expect(amounts([])).toEqual([
      'file_processed delivered: 0 for 0',
      'storage-usage delivered: 0 for 0',
    ]);
    expect(statementOf(noUsage(), undefined)).toMatchObject({
      totalCents: '0',
      refused: [],
      deliveriesWaiting: 0,
    });
  });

  test('GA15 what is delivered is rounded as a sum, once; what waits adds what the whole sum adds', () => {
    const records: Told[] = [
      ['file_processed', 'delivered', '300'],
      ['file_processed', 'delivered', '300'],
      ['file_processed', 'sending', '200'],
      ['file_processed', 'pending', '600'],
      ['file_processed', 'parked', '99'],
    ];
    // 0.6 cents are 1; with the 899 bytes that wait 1.499 are 1 as well.
    expect(amounts(records)).toEqual([
      'file_processed delivered: 600 for 1',
      'file_processed waiting: 899 for 0',
      'storage-usage delivered: 0 for 0',
    ]);
    expect(statementOf(sumsOf(records), undefined)).toMatchObject({
      totalCents: '1',
      deliveriesWaiting: 3,
    });
  });

  test('GA15 storage is priced by the GB begun, of the sum; the estimate is a line of its own', () => {
    const gigabyte = 2n ** 30n;
    const records: Told[] = [['storage-usage', 'delivered', String(gigabyte + 1n)]];
    expect(amounts(records, gigabyte - 1n)).toEqual([
      'file_processed delivered: 0 for 0',
      `storage-usage delivered: ${gigabyte + 1n} for 20`,
      `storage-usage estimate: ${gigabyte - 1n} for 0`,
    ]);
    expect(amounts([], 1n)).toContain('storage-usage estimate: 1 for 10');
    expect(amounts([], 0n)).toContain('storage-usage estimate: 0 for 0');
  });

  test('GA15 what Stripe refused is told, and costs nothing', () => {
    const refused = statementOf(sumsOf([['file_processed', 'rejected', '5000000']]), undefined);
    expect(refused).toMatchObject({
      totalCents: '0',
      deliveriesWaiting: 0,
      refused: [{ meter: 'file_processed', records: 1, quantity: '5000000' }],
    });
  });

  test('GA15 whatever was used: the lines of a meter add up to the price of its sum', () => {
    const meters = ['file_processed', 'storage-usage'] as const;
    const record = fc.tuple(
      fc.constantFrom(...meters),
      fc.constantFrom(...deliveryStates),
      fc.bigInt(0n, 10n ** 20n).map(String),
    );
    const check = fc.check(
      fc.property(
        fc.array(record),
        fc.option(fc.bigInt(0n, 10n ** 18n), { nil: undefined }),
        (told, estimate) => {
          const { lines, totalCents } = statementOf(sumsOf(told), estimate);
          const wholes = meters.map((meter) => {
            const used = told
              .filter(([which, state]) => which === meter && state !== 'rejected')
              .reduce((sum, [, , quantity]) => sum + BigInt(quantity), 0n);
            const more = meter === 'storage-usage' ? (estimate ?? 0n) : 0n;
            return priceOf(used + more, catalogItem(meter).price);
          });
          const total = wholes.reduce((sum, amount) => sum + amount, 0n);
          return (
            BigInt(totalCents) === total &&
            lines.every(({ amountCents }) => BigInt(amountCents) >= 0n)
          );
        },
      ),
    );
    expect(check.counterexample).toBeNull();
  });
});

describe('GA15 spans of time', () => {
  test('a month ends where the next begins', () => {
    expect(spanOf('2026-12')).toEqual({
      start: '2026-12-01T00:00:00.000Z',
      end: '2027-01-01T00:00:00.000Z',
    });
    expect(spanOf('2028-02').end).toBe('2028-03-01T00:00:00.000Z');
  });

  test.each([
    ['2026-01-31T12:00:00.000Z', '2026-02-28T12:00:00.000Z', ['2026-01', '2026-02']],
    ['2026-12-15T00:00:00.000Z', '2027-01-15T00:00:00.000Z', ['2026-12', '2027-01']],
    ['2026-11-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z', ['2026-11']],
    ['2026-11-30T23:59:59.999Z', '2026-12-01T00:00:00.001Z', ['2026-11', '2026-12']],
  ])('from %s to %s', (start, end, months) => {
    expect(monthsIn({ start, end })).toEqual(months);
  });
});
