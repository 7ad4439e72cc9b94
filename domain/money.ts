/** Money is whole minor units of its currency (I9). The one place that rounds. */
import type { CatalogItem } from './catalog.ts';

/** Currencies whose minor unit is the whole unit (Stripe, "Zero-decimal currencies"). */
const zeroDecimal = new Set(
  'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '),
);

/** Currencies whose minor unit is a thousandth (Stripe, "Three-decimal currencies"). */
const threeDecimal = new Set('bhd jod kwd omr tnd'.split(' '));

/** Whole units in daily life, hundredths on the wire: a list's footnote (Stripe, "Special cases"). */
const wholeInHundredths = new Set(['isk', 'ugx']);

/**
 * What a quantity costs in minor units at a price per unit given as a decimal string of minor units
 * (Stripe's `unit_amount_decimal`), rounded half up.
 */
export function amountOf(quantity: bigint, unitAmountDecimal: string): bigint {
  const [whole = '0', fraction = ''] = unitAmountDecimal.split('.');
  const scale = 10n ** BigInt(fraction.length);
  return roundHalfUp(quantity * BigInt(`${whole}${fraction}`), scale);
}

/**
 * What a quantity costs at a catalog price, minor units: packs first where it is priced by the pack
 * (Stripe's `transform_quantity`: a part of a pack is rounded up or down), then the amount.
 */
export function priceOf(quantity: bigint, price: CatalogItem['price']): bigint {
  const { transform, unitAmountDecimal } = price;
  if (transform === undefined) return amountOf(quantity, unitAmountDecimal);
  return amountOf(packsOf(quantity, transform), unitAmountDecimal);
}

/** How many packs a quantity is priced as. */
export function packsOf(
  quantity: bigint,
  { divideBy, round }: NonNullable<CatalogItem['price']['transform']>,
): bigint {
  const pack = BigInt(divideBy);
  return round === 'up' ? (quantity + pack - 1n) / pack : quantity / pack;
}

/** `dividend / divisor` rounded half up; neither is negative. */
export function roundHalfUp(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor);
}

/** Digits behind the point of what Stripe sends and takes. */
function digitsOf(currency: string): number {
  if (zeroDecimal.has(currency)) return 0;
  return threeDecimal.has(currency) ? 3 : 2;
}

/**
 * The amount that Stripe takes for this one, rounded half up: shillings and krónur are hundredths that are
 * multiples of 100, and of three decimals the last digit must be 0 (Stripe, "Special cases").
 */
export function chargeableAmount(minorUnits: bigint, currency: string): bigint {
  const code = currency.toLowerCase();
  const step = wholeInHundredths.has(code) ? 100n : threeDecimal.has(code) ? 10n : 1n;
  return roundHalfUp(minorUnits, step) * step;
}

/** For people: `$1,234.50`, `¥1,235`. */
export function formatMoney(minorUnits: bigint, currency: string): string {
  return formatUnitAmount(String(minorUnits), currency);
}

/** The same of a decimal string of minor units (Stripe's `unit_amount_decimal`): `$0.00001`. */
export function formatUnitAmount(unitAmountDecimal: string, currency: string): string {
  const code = currency.toLowerCase();
  const [minor = '0', beyond = ''] = unitAmountDecimal.split('.');
  const digits = digitsOf(code);
  const padded = minor.padStart(digits + 1, '0');
  const whole = padded.slice(0, padded.length - digits);
  const behind = `${padded.slice(padded.length - digits)}${beyond.replace(/0+$/, '')}`;
  const decimals = wholeInHundredths.has(code) ? behind.replace(/0+$/, '') : behind;
  const fraction = decimals === '' ? '' : `.${decimals}`;
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  const symbol = { usd: '$', jpy: '¥', eur: '€', gbp: '£' }[code];
  const amount = `${grouped}${fraction}`;
  return symbol === undefined ? `${amount} ${code.toUpperCase()}` : `${symbol}${amount}`;
}
