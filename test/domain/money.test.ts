import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catalogItem } from '../../domain/catalog.ts';
import {
  amountOf,
  chargeableAmount,
  formatMoney,
  formatUnitAmount,
  priceOf,
  roundHalfUp,
} from '../../domain/money.ts';

describe('I9 amounts', () => {
  test.each([
    // $0.00001 a byte is 0.001 cents (page 1).
    [1_024n, '0.001', 1n],
    [499n, '0.001', 0n],
    [500n, '0.001', 1n],
    [1_500n, '0.001', 2n],
    [5_368_709_120n, '0.001', 5_368_709n],
    [3n, '10', 30n],
    [0n, '0.001', 0n],
    [9_007_199_254_740_993n, '0.001', 9_007_199_254_741n],
  ])('%s units at %s', (quantity, unit, cents) => {
    expect(amountOf(quantity, unit)).toBe(cents);
  });

  test('rounding half up is never off by more than a half, and never down at a half', () => {
    const check = fc.check(
      fc.property(fc.bigInt(0n, 10n ** 30n), fc.bigInt(1n, 10n ** 20n), (dividend, divisor) => {
        const twiceError = 2n * (roundHalfUp(dividend, divisor) * divisor - dividend);
        return twiceError > -divisor && twiceError <= divisor;
      }),
    );
    expect(check.counterexample).toBeNull();
  });
});

describe('I9 what Stripe takes of an amount (case 22)', () => {
  test.each([
    [1_234n, 'usd', 1_234n],
    [49n, 'jpy', 49n],
    [500n, 'ugx', 500n],
    [549n, 'ugx', 500n],
    [550n, 'isk', 600n],
    [1_234n, 'kwd', 1_230n],
    [1_235n, 'kwd', 1_240n],
    [1_235n, 'huf', 1_235n],
    [1_235n, 'twd', 1_235n],
    [0n, 'ugx', 0n],
  ])('%s %s is sent as %s', (minor, currency, sent) => {
    expect(chargeableAmount(minor, currency)).toBe(sent);
  });
});

describe('I9 money for people, with the currency’s own exponent', () => {
  test.each([
    [0n, 'usd', '$0.00'],
    [5n, 'usd', '$0.05'],
    [123_450n, 'usd', '$1,234.50'],
    [1_234n, 'jpy', '¥1,234'],
    [7n, 'krw', '7 KRW'],
    [100n, 'chf', '1.00 CHF'],
    [100_000_000n, 'eur', '€1,000,000.00'],
    [1_234n, 'kwd', '1.234 KWD'],
    // Case 22: no decimals in daily life, hundredths on the wire.
    [500n, 'ugx', '5 UGX'],
    [123_400n, 'isk', '1,234 ISK'],
    [550n, 'ugx', '5.5 UGX'],
    [1_230n, 'kwd', '1.230 KWD'],
    [1_234n, 'huf', '12.34 HUF'],
    [1_234n, 'twd', '12.34 TWD'],
    [500n, 'UGX', '5 UGX'],
    ...[
      'bif',
      'clp',
      'djf',
      'gnf',
      'kmf',
      'mga',
      'pyg',
      'rwf',
      'vnd',
      'vuv',
      'xaf',
      'xof',
      'xpf',
    ].map((code): [bigint, string, string] => [500n, code, `500 ${code.toUpperCase()}`]),
    ...['bhd', 'jod', 'omr', 'tnd'].map((code): [bigint, string, string] => [
      500n,
      code,
      `0.500 ${code.toUpperCase()}`,
    ]),
  ])('%s %s is %s', (minor, currency, shown) => {
    expect(formatMoney(minor, currency)).toBe(shown);
  });

  test.each([
    ['0.001', 'usd', '$0.00001'],
    ['10', 'usd', '$0.10'],
    ['12345.50', 'usd', '$123.455'],
    ['0.5', 'jpy', '¥0.5'],
    ['7', 'jpy', '¥7'],
    ['0', 'usd', '$0.00'],
  ])('a unit amount of %s %s is %s', (decimal, currency, shown) => {
    expect(formatUnitAmount(decimal, currency)).toBe(shown);
  });
});

describe('catalog prices', () => {
  const { price } = catalogItem('storage-usage');
  // $0.10 per GB begun; 1 GB is 1,073,741,824 bytes (page 1).
  test.each([
    [0n, 0n],
    [1n, 10n],
    [1_073_741_824n, 10n],
    [1_073_741_825n, 20n],
    [5_500_000_000_000_000n, 51_222_750n],
  ])('%s bytes of storage cost %s cents', (bytes, cents) => {
    expect(priceOf(bytes, price)).toBe(cents);
  });

  test('bytes processed are priced one by one', () => {
    expect(priceOf(1_500n, catalogItem('file_processed').price)).toBe(2n);
  });
});
