/** Keys as random bytes and as hashes; what a key looks like is domain/api-keys.ts. */
import { createHash, randomBytes } from 'node:crypto';
import {
  apiKeyPrefix,
  apiKeyRandomBytes,
  formatApiKey,
  isWellFormedApiKey,
} from '../domain/api-keys.ts';
import type { ApiKey } from '../domain/api-keys.ts';

/** A key that nobody has and that opens nothing yet. */
export function newApiKey(): string {
  return formatApiKey(randomBytes(apiKeyRandomBytes));
}

/** SHA-256 of a key, hex; undefined for what cannot be a key, which is then not asked for at all. */
export function hashApiKey(key: string): string | undefined {
  return isWellFormedApiKey(key) ? sha256(key) : undefined;
}

/** The row under which a key opens its customer's routes: the key itself is not in it. */
export function apiKeyRow(
  key: string,
  { customerId, scope, name }: Pick<ApiKey, 'customerId' | 'scope' | 'name'>,
  now: Date,
): ApiKey {
  return {
    keyHash: sha256(key),
    prefix: apiKeyPrefix(key),
    customerId,
    scope,
    createdAt: now.toISOString(),
    ...(name === undefined ? {} : { name }),
  };
}

function sha256(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
