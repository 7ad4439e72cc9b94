import { parseDecimal } from '../core/decimal.ts';

const one = 10n ** 15n;

/** What decides an amount of a price: all of it is Stripe's. */
type Priced = {
  unit_amount_decimal: string;
  transform_quantity: { divide_by: number; round: 'up' | 'down' } | null;
};

/** Minor units for a quantity in units of 10^-15, rounded half up, after the price's division. */
export function amountOf(price: Priced, units: bigint): number {
  const perUnit = parseDecimal(price.unit_amount_decimal) ?? 0n;
  const product = dividedUnits(price, units) * perUnit;
  return Number((product + (one * one) / 2n) / (one * one));
}

/** A whole quantity in units of 10^-15. */
export function toUnits(quantity: number): bigint {
  return BigInt(quantity) * one;
}

function dividedUnits({ transform_quantity: transform }: Priced, units: bigint): bigint {
  if (transform === null) return units;
  const divisor = BigInt(transform.divide_by) * one;
  const whole = units / divisor;
  const hasRest = units % divisor !== 0n;
  return (transform.round === 'up' && hasRest ? whole + 1n : whole) * one;
}
