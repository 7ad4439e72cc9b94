/**
 * Keys of the guarded API: `dbk_` + 30 random characters + 6 of a checksum. The checksum (CRC-32, as
 * GitHub's tokens carry one) tells a mistyped or invented key without asking the store, and lets a
 * secret scanner tell a real key from a look-alike. Making the random part and hashing stay outside.
 */
import { BillingError } from './errors.ts';
import { printable } from './ids.ts';

const keyPrefix = 'dbk_';
const randomLength = 30;
const checksumLength = 6;
/** Of a key, what may be shown: it names the key to a person and opens nothing. */
const shownLength = 12;
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const keyPattern = new RegExp(`^${keyPrefix}[0-9A-Za-z]{${randomLength + checksumLength}}$`);
const shownPattern = new RegExp(`^${keyPrefix}[0-9A-Za-z]{${shownLength - keyPrefix.length}}$`);
export const mostNameLength = 100;

/** Random bytes that a key is made of: 30 characters of 62 carry 178 bits. */
export const apiKeyRandomBytes = 64;

/**
 * What a key may do: `cast` is the customer's own routes, `ingest` is `POST /v1/events` alone.
 * (A key that collects usage stands on many machines, and must not spend money or make keys.)
 */
export const apiKeyScopes = ['cast', 'ingest'] as const;
export type ApiKeyScope = (typeof apiKeyScopes)[number];

/** A key as it is known once it was made: never the key itself. */
export interface ApiKey {
  /** SHA-256 of the whole key, hex. */
  keyHash: string;
  /** The first characters, shown in lists and taken by `delete` and `rotate`. */
  prefix: string;
  customerId: string;
  name?: string;
  scope: ApiKeyScope;
  createdAt: string;
  /** Not before a minute after the use that it tells of. */
  lastUsedAt?: string;
  /** After a rotation: when the key stops working. */
  endsAt?: string;
}

/** A key out of 64 random bytes; a byte of 248 and more is passed over, so that no character is likelier. */
export function formatApiKey(random: Uint8Array): string {
  const fair = [...random].filter((byte) => byte < 4 * alphabet.length);
  if (fair.length < randomLength) throw new Error('too few random bytes for a key');
  const body = fair.slice(0, randomLength).map((byte) => alphabet[byte % alphabet.length]);
  const start = `${keyPrefix}${body.join('')}`;
  return `${start}${checksum(start)}`;
}

/** Whether it can be a key at all; says nothing of whether it is one that was handed out. */
export function isWellFormedApiKey(value: string): boolean {
  if (!keyPattern.test(value)) return false;
  const start = value.slice(0, -checksumLength);
  return checksum(start) === value.slice(-checksumLength);
}

export function apiKeyPrefix(key: string): string {
  return key.slice(0, shownLength);
}

/** Throws BillingError `invalid_request`. A whole key is refused: it would end up in a shell's history. */
export function parseApiKeyPrefix(value: string): string {
  if (shownPattern.test(value)) return value;
  const shown = keyPattern.test(value) ? apiKeyPrefix(value) : printable(value);
  throw new BillingError(
    'invalid_request',
    `"${shown}" is not a key's prefix: give its first ${shownLength} characters, as \`durabill keys list\` shows them`,
  );
}

/** Throws BillingError `invalid_request`. */
export function parseApiKeyName(value: string): string {
  const name = value.trim();
  if (name !== '' && name.length <= mostNameLength && name === printable(name)) return name;
  throw new BillingError(
    'invalid_request',
    `a key's name has 1 to ${mostNameLength} printable characters on one line`,
  );
}

/** A key that was rotated works until `endsAt`, to the millisecond. */
export function isApiKeyInForce(key: Pick<ApiKey, 'endsAt'>, now: Date): boolean {
  return key.endsAt === undefined || now.toISOString() < key.endsAt;
}

/** The last use is written once a minute at most, so that a busy key costs no write a request. */
export function isUseWorthWriting(key: Pick<ApiKey, 'lastUsedAt'>, now: Date): boolean {
  return key.lastUsedAt === undefined || now.getTime() - Date.parse(key.lastUsedAt) >= 60_000;
}

/** CRC-32 (ISO 3309, polynomial 0xEDB88320) in base 62, six characters. */
function checksum(text: string): string {
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index += 1) {
    crc ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  let rest = (crc ^ 0xffffffff) >>> 0;
  let digits = '';
  for (let place = 0; place < checksumLength; place += 1) {
    digits = `${alphabet[rest % alphabet.length]}${digits}`;
    rest = Math.floor(rest / alphabet.length);
  }
  return digits;
}
