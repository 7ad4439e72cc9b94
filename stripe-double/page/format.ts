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

/** Currencies without a minor unit, as Stripe lists them. */
const zeroDecimal = new Set(
  'bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf'.split(' '),
);

/** Minor units as people read them: `20.00 USD`, `2,400 JPY`. */
export function formatAmount(amount: number, currency: string): string {
  const value = zeroDecimal.has(currency) ? String(amount) : (amount / 100).toFixed(2);
  return `${withSeparators(value)} ${currency.toUpperCase()}`;
}
