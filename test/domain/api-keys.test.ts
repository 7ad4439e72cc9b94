import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  apiKeyPrefix,
  apiKeyRandomBytes,
  formatApiKey,
  isApiKeyInForce,
  isUseWorthWriting,
  isWellFormedApiKey,
  parseApiKeyName,
  parseApiKeyPrefix,
} from '../../domain/api-keys.ts';
import { refusalOf } from './support.ts';

const zeros = new Uint8Array(apiKeyRandomBytes);

describe('GA6 keys: dbk_, thirty random characters, a checksum', () => {
  test('GA6 the checksum is CRC-32 in base 62', () => {
    // CRC-32 of the text before it is 1993574774 (Python's zlib.crc32), in base 62 2AuqF4.
    const key = formatApiKey(zeros);
    expect(key.slice(0, 34)).toBe(`dbk_${'0'.repeat(30)}`);
    expect(
      key
        .slice(34)
        .split('')
        .reduce((sum, digit) => sum * 62 + digitOf(digit), 0),
    ).toBe(1_993_574_774);
  });

  test('GA6 every key is well formed, and no other text is', () => {
    const randoms = fc.uint8Array({ minLength: apiKeyRandomBytes, maxLength: apiKeyRandomBytes });
    fc.assert(
      fc.property(randoms, (bytes) => {
        fc.pre([...bytes].filter((byte) => byte < 248).length >= 30);
        expect(isWellFormedApiKey(formatApiKey(bytes))).toBe(true);
      }),
    );
    const key = formatApiKey(zeros);
    for (const other of [
      '',
      'dbk_',
      key.slice(0, -1),
      `${key}0`,
      ` ${key}`,
      `${key}\n`,
      key.replace('dbk_', 'DBK_'),
      key.replace('dbk_0', 'dbk_1'),
      key.replace('dbk_0', 'dbk_-'),
      'sk_test_123456789012345678901234567890123456',
    ]) {
      expect(isWellFormedApiKey(other)).toBe(false);
    }
  });

  test('GA6 bytes that would make a character likelier are passed over; too few are an error', () => {
    const biased = new Uint8Array(apiKeyRandomBytes).fill(255);
    expect(() => formatApiKey(biased)).toThrow('too few random bytes');
    biased.set(new Uint8Array(30).fill(61), apiKeyRandomBytes - 30);
    expect(formatApiKey(biased).slice(0, 34)).toBe(`dbk_${'z'.repeat(30)}`);
  });

  test('GA6 a prefix is what lists show; a whole key given for it is not repeated', () => {
    const key = formatApiKey(zeros);
    expect(parseApiKeyPrefix(apiKeyPrefix(key))).toBe('dbk_00000000');
    for (const other of ['', 'dbk_', 'dbk_0000000', 'dbk_000000000', 'dbk_0000000!', key]) {
      expect(refusalOf(() => parseApiKeyPrefix(other)).code).toBe('invalid_request');
    }
    expect(() => parseApiKeyPrefix(key)).not.toThrow(key);
  });

  test.each(['', '   ', 'a\nb', 'a\u0000', 'x'.repeat(101)])('GA6 no name: %j', (name) => {
    expect(refusalOf(() => parseApiKeyName(name)).code).toBe('invalid_request');
  });

  test('GA6 a name is kept as it is, without the blanks around it', () => {
    expect(parseApiKeyName(' 本番 ingest ')).toBe('本番 ingest');
  });
});

describe('GA6 rotation and use', () => {
  const now = new Date('2026-11-25T12:00:00.000Z');

  test.each([
    [undefined, true],
    ['2026-11-25T12:00:00.001Z', true],
    ['2026-11-25T12:00:00.000Z', false],
    ['2026-11-25T11:59:59.999Z', false],
  ])('GA6 a key that ends at %s is in force: %s', (endsAt, inForce) => {
    expect(isApiKeyInForce(endsAt === undefined ? {} : { endsAt }, now)).toBe(inForce);
  });

  test.each([
    [undefined, true],
    ['2026-11-25T11:59:00.001Z', false],
    ['2026-11-25T11:59:00.000Z', true],
  ])('the last use at %s is worth a write: %s', (lastUsedAt, worth) => {
    expect(isUseWorthWriting(lastUsedAt === undefined ? {} : { lastUsedAt }, now)).toBe(worth);
  });
});

function digitOf(character: string): number {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  return alphabet.indexOf(character);
}
