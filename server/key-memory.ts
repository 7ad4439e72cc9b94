/**
 * Keys that were verified lately. The table is asked for each request, so that a deleted key stops at
 * once; only while the table store does not answer is a key of the last ten minutes honoured (GA5).
 */
import { LRUCache } from 'lru-cache';
import type { ApiKey } from '../domain/api-keys.ts';

const honouredForMs = 10 * 60_000;
const mostKeys = 10_000;

export type KeyMemory = ReturnType<typeof createKeyMemory>;

export function createKeyMemory(now: () => Date) {
  const verified = new LRUCache<string, { apiKey: ApiKey; atMs: number }>({ max: mostKeys });
  return {
    remember: (apiKey: ApiKey): void => {
      verified.set(apiKey.keyHash, { apiKey, atMs: now().getTime() });
    },
    /** Said no by the table: an outage that follows does not let it in again. */
    forget: (keyHash: string): void => {
      verified.delete(keyHash);
    },
    recall: (keyHash: string): ApiKey | undefined => {
      const known = verified.get(keyHash);
      if (known === undefined || now().getTime() - known.atMs > honouredForMs) return undefined;
      return known.apiKey;
    },
  };
}
