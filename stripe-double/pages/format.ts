/** A decimal string with thousands separators; exact, whatever its size. */
export function withSeparators(decimal: string): string {
  const [whole = '', fraction] = decimal.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** `2026-11-03 14:05:09`, UTC. */
export function toUtc(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** Digits behind the point, as Stripe lists them; all others have two. UGX and ISK are hundredths on the wire. */
const digits = new Map([
  ...'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'
    .split(' ')
    .map((currency) => [currency, 0] as const),
  ...'bhd jod kwd omr tnd'.split(' ').map((currency) => [currency, 3] as const),
]);

/** Minor units as people read them: `20.00 USD`, `2,400 JPY`. */
export function formatAmount(amount: number, currency: string): string {
  const behind = digits.get(currency) ?? 2;
  const value = (amount / 10 ** behind).toFixed(behind);
  return `${withSeparators(value)} ${currency.toUpperCase()}`;
}
