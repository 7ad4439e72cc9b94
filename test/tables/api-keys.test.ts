import { describe, expect, test } from 'vitest';
import type { ApiKey } from '../../domain/api-keys.ts';
import { createApiKeys } from '../../tables/api-keys.ts';
import { at, atOnce, collect, rawRows, useDynamodb } from './support.ts';

const database = useDynamodb();

async function newApiKeys(now: () => Date = () => new Date(at(0))) {
  const store = { ...(await database.newStore()), now };
  return { store, apiKeys: createApiKeys(store) };
}

const keyOf = (n: number, facts: Partial<ApiKey> = {}): ApiKey => ({
  keyHash: `hash-${n}`,
  prefix: `dbk_${String(n).padStart(8, '0')}`,
  customerId: 'cus_1',
  scope: 'cast',
  createdAt: at(n),
  ...facts,
});

describe('GA6 keys by their hash', () => {
  test('GA6 one is added once, found by its hash, and gone when it is removed', async () => {
    const { apiKeys } = await newApiKeys();
    const key = keyOf(1, { name: 'production', scope: 'ingest' });
    expect(await apiKeys.add(key)).toBe(true);
    expect(await apiKeys.add(keyOf(1, { customerId: 'cus_other' }))).toBe(false);
    expect(await apiKeys.find('hash-1')).toStrictEqual(key);
    expect(await apiKeys.find('hash-2')).toBe(undefined);
    expect(await apiKeys.remove('hash-1')).toBe(true);
    expect(await apiKeys.remove('hash-1')).toBe(false);
    expect(await apiKeys.find('hash-1')).toBe(undefined);
  });

  test('GA6 a key’s use, written after it was deleted, does not bring it back', async () => {
    const { apiKeys, store } = await newApiKeys();
    await apiKeys.add(keyOf(1));
    await apiKeys.touch('hash-1', at(60));
    expect((await apiKeys.find('hash-1'))?.lastUsedAt).toBe(at(60));
    await apiKeys.remove('hash-1');
    await apiKeys.touch('hash-1', at(120));
    expect(await apiKeys.endAt('hash-1', at(240))).toBe(false);
    expect(await rawRows(store, 'api-keys')).toStrictEqual([]);
  });

  test('GA6 a rotated key works until its end and not a moment longer; its row waits for the TTL', async () => {
    let now = at(0);
    const { apiKeys, store } = await newApiKeys(() => new Date(now));
    await apiKeys.add(keyOf(1));
    expect(await apiKeys.endAt('hash-1', at(100))).toBe(true);
    expect(await apiKeys.endAt('hash-1', at(200))).toBe(false);
    expect(await apiKeys.endAt('hash-1', at(90))).toBe(true);
    now = at(89);
    expect((await apiKeys.find('hash-1'))?.endsAt).toBe(at(90));
    expect(await apiKeys.listOf('cus_1')).toHaveLength(1);
    now = at(90);
    expect(await apiKeys.find('hash-1')).toBe(undefined);
    expect(await apiKeys.listOf('cus_1')).toStrictEqual([]);
    expect(await collect(apiKeys.list())).toStrictEqual([]);
    const thirtyDays = 30 * 86_400;
    expect(await rawRows(store, 'api-keys')).toMatchObject([
      { ttl: Date.parse(at(90)) / 1000 + thirtyDays },
    ]);
  });

  test('GA6 a customer’s keys are listed the oldest first, and nobody else’s', async () => {
    const { apiKeys } = await newApiKeys();
    await atOnce(12, async (n) => await apiKeys.add(keyOf(n)));
    await apiKeys.add(keyOf(50, { customerId: 'cus_10' }));
    const own = await apiKeys.listOf('cus_1');
    expect(own.map(({ keyHash }) => keyHash)).toStrictEqual(
      Array.from({ length: 12 }, (_, n) => `hash-${n}`),
    );
    expect(await collect(apiKeys.list())).toHaveLength(13);
  });
});
