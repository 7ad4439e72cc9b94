import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  castCents,
  checkBudget,
  leftCents,
  mostBudgetCents,
  roomFor,
} from '../../domain/budgets.ts';
import { refusalOf } from './support.ts';

describe('GA1 budgets', () => {
  test.each([
    [{ hardLimitCents: 0 }],
    [{ hardLimitCents: 500, softLimitCents: 500 }],
    [{ hardLimitCents: mostBudgetCents, softLimitCents: 0 }],
  ])('GA1 %j is a budget', (budget) => {
    expect(() => checkBudget(budget)).not.toThrow();
  });

  test.each([
    [{ hardLimitCents: -1 }],
    [{ hardLimitCents: 0.5 }],
    [{ hardLimitCents: Number.NaN }],
    [{ hardLimitCents: mostBudgetCents + 1 }],
    [{ hardLimitCents: 500, softLimitCents: 501 }],
    [{ hardLimitCents: 500, softLimitCents: -1 }],
    [{ hardLimitCents: 500, softLimitCents: 1.5 }],
  ])('GA10 %j is none', (budget) => {
    expect(refusalOf(() => checkBudget(budget)).code).toBe('invalid_request');
  });

  test.each([
    [{ usedCents: 5, reservedCents: 5 }, undefined],
    [{ hardLimitCents: 100, usedCents: 30, reservedCents: 50 }, 20],
    [{ hardLimitCents: 100, usedCents: 30, reservedCents: 70 }, 0],
    [{ hardLimitCents: 10, usedCents: 30, reservedCents: 0 }, 0],
  ])('GA1 of %j %s is left', (counter, left) => {
    expect(leftCents(counter)).toBe(left);
  });

  test('GA1 what costs nothing still needs room', () => {
    expect([roomFor(0), roomFor(1), roomFor(7)]).toStrictEqual([1, 1, 7]);
  });
});

describe('GA2 the price of a cast is a function of configuration and bytes', () => {
  test.each([
    [1, '0', 0, 1],
    [1, '0', 9_007_199_254_740_991, 1],
    [0, '0', 5, 0],
    [0, '0.5', 1, 1],
    [0, '0.4999', 1, 0],
    [0, '0.001', 1500, 2],
    [0, '0.001', 1499, 1],
    [3, '0.000001', 2_500_000, 6],
    [3, '2', 10, 23],
  ])('GA2 %i cents a cast and %s a byte, %i bytes: %i cents', (cast, byte, bytes, cents) => {
    expect(castCents({ centsPerCast: cast, centsPerByte: byte }, bytes)).toBe(cents);
  });

  test('GA2 more bytes never cost less', () => {
    const sizes = fc.tuple(fc.maxSafeNat(), fc.maxSafeNat());
    fc.assert(
      fc.property(sizes, ([one, other]) => {
        const price = { centsPerCast: 1, centsPerByte: '0.00001' };
        const [less, more] = one < other ? [one, other] : [other, one];
        expect(castCents(price, less)).toBeLessThanOrEqual(castCents(price, more));
      }),
    );
  });

  test('GA2 a cast beyond every budget is too large, not counted inexactly', () => {
    const price = { centsPerCast: 1, centsPerByte: '1' };
    expect(refusalOf(() => castCents(price, mostBudgetCents)).code).toBe('too_large');
  });
});
