/** Exact sums of decimal strings: integers of 10^-15, which is as fine as 15 digits can be. */
const fractionDigits = 15;
const one = 10n ** BigInt(fractionDigits);
const plainNumber = /^(-?)(\d*)(?:\.(\d*))?$/;

/** A plain decimal as units of 10^-15, or undefined when it is not a plain number. */
export function parseDecimal(text: string): bigint | undefined {
  const match = plainNumber.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = ''] = match;
  if (whole + fraction === '' || fraction.length > fractionDigits) return undefined;
  const units = BigInt(whole || '0') * one + BigInt(fraction.padEnd(fractionDigits, '0'));
  return sign === '-' ? -units : units;
}

/** Units of 10^-15 as a plain decimal without needless zeros. */
export function formatDecimal(units: bigint): string {
  const size = units < 0n ? -units : units;
  const fraction = (size % one).toString().padStart(fractionDigits, '0').replace(/0+$/, '');
  const text = `${size / one}${fraction === '' ? '' : `.${fraction}`}`;
  return units < 0n ? `-${text}` : text;
}

/**
 * How many significant digits a plain decimal has. The zeros at the end of a whole number count:
 * Stripe does not say whether they do, and the strict reading is the one that cannot surprise.
 */
export function significantDigits(text: string): number {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  return (whole + fraction.replace(/0+$/, '')).replace(/^0+/, '').length;
}
