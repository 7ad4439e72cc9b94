import { createHash, randomBytes } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A new id in Stripe's style, such as `cus_4QxT…`. Chance is right here: it is Stripe's side. */
export function newId(prefix: string, length = 14): string {
  let id = `${prefix}_`;
  for (const byte of randomBytes(length)) id += alphabet.charAt(byte % alphabet.length);
  return id;
}

/** An id that is the same for the same facts, for objects that are computed and not stored. */
export function derivedId(prefix: string, ...facts: readonly (string | number)[]): string {
  return `${prefix}_${createHash('sha256').update(facts.join('\n')).digest('hex').slice(0, 32)}`;
}
