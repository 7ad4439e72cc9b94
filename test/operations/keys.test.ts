import { describe, expect, test } from 'vitest';
import { createKey, deleteKey, rotateKey } from '../../operations/keys.ts';
import { hashApiKey } from '../../platform/api-keys.ts';
import { createApiKeys } from '../../tables/api-keys.ts';
import { createCustomers } from '../../tables/customers.ts';
import { at, atOnce, rawRows, refusalOf, useDynamodb } from '../tables/support.ts';

const database = useDynamodb();

async function setUp() {
  const clock = { now: at(0) };
  const now = () => new Date(clock.now);
  const store = { ...(await database.newStore()), now };
  const customers = createCustomers(store);
  for (const customerId of ['cus_1', 'cus_2']) {
    await customers.add({ customerId, plan: 'free', billingStatus: 'none', createdAt: at(0) });
  }
  const deps = { apiKeys: createApiKeys(store), customers, now };
  const works = async (key: string) =>
    (await deps.apiKeys.find(hashApiKey(key) ?? '-')) !== undefined;
  return { clock, store, deps, works };
}

const order = { customerId: 'cus_1', scope: 'cast' as const, name: 'production' };

describe('GA6 keys are shown once and kept hashed', () => {
  test('GA6 a new key works, and the table holds its SHA-256 and prefix only', async () => {
    const { deps, store, works } = await setUp();
    const { key, apiKey } = await createKey(deps, order);
    expect(await works(key)).toBe(true);
    expect(apiKey).toMatchObject({ ...order, prefix: key.slice(0, 12), createdAt: at(0) });
    const stored = JSON.stringify(await rawRows(store, 'api-keys'));
    expect(stored).not.toContain(key);
    expect(stored).not.toContain(key.slice(12));
  });

  test('GA6 twenty made at once are twenty different keys', async () => {
    const { deps } = await setUp();
    const made = await atOnce(20, async () => await createKey(deps, order));
    expect(new Set(made.map(({ key }) => key)).size).toBe(20);
  });

  test('a customer that is not there has no key; nor has one a fifty-first', async () => {
    const { deps } = await setUp();
    const unknown = { ...order, customerId: 'cus_nobody' };
    expect(await refusalOf(createKey(deps, unknown))).toMatchObject({ code: 'not_found' });
    for (let n = 0; n < 50; n += 1) await createKey(deps, order);
    expect(await refusalOf(createKey(deps, order))).toMatchObject({ code: 'conflict' });
  });

  test('GA6 deleted, it stops at once; another customer’s is not found', async () => {
    const { deps, works } = await setUp();
    const { key, apiKey } = await createKey(deps, order);
    const foreign = deleteKey(deps, apiKey.prefix, 'cus_2');
    expect(await refusalOf(foreign)).toMatchObject({ code: 'not_found' });
    expect(await works(key)).toBe(true);
    await deleteKey(deps, apiKey.prefix, 'cus_1');
    expect(await works(key)).toBe(false);
    expect(await refusalOf(deleteKey(deps, apiKey.prefix))).toMatchObject({ code: 'not_found' });
  });

  test('GA6 rotated, both work for the overlap, then the new one alone', async () => {
    const { clock, deps, works } = await setUp();
    const first = await createKey(deps, order);
    const second = await rotateKey(deps, first.apiKey.prefix, { overlapHours: 2 });
    expect(second.apiKey).toMatchObject(order);
    expect(second.replaced).toMatchObject({ prefix: first.apiKey.prefix, endsAt: at(7200) });
    clock.now = at(7199);
    expect([await works(first.key), await works(second.key)]).toStrictEqual([true, true]);
    clock.now = at(7200);
    expect([await works(first.key), await works(second.key)]).toStrictEqual([false, true]);
  });

  test('GA6 an overlap of nothing ends the old key at once; one that is no number is refused', async () => {
    const { deps, works } = await setUp();
    const first = await createKey(deps, order);
    for (const overlapHours of [-1, 1.5, 721, Number.NaN]) {
      const refused = rotateKey(deps, first.apiKey.prefix, { overlapHours });
      expect(await refusalOf(refused)).toMatchObject({ code: 'invalid_request' });
    }
    await rotateKey(deps, first.apiKey.prefix, { overlapHours: 0, customerId: 'cus_1' });
    expect(await works(first.key)).toBe(false);
  });

  test('GA6 what cannot be a key has no hash, and is not looked for', () => {
    expect(hashApiKey('dbk_nonsense')).toBe(undefined);
  });
});
