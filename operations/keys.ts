/** Keys of the guarded API: made, listed, rotated and deleted; what command line and API share (GA6). */
import type { ApiKey, ApiKeyScope } from '../domain/api-keys.ts';
import { BillingError } from '../domain/errors.ts';
import { apiKeyRow, newApiKey } from '../platform/api-keys.ts';
import type { ApiKeys } from '../tables/api-keys.ts';
import type { Customers } from '../tables/customers.ts';

export interface KeyDependencies {
  apiKeys: ApiKeys;
  customers: Pick<Customers, 'get'>;
  now: () => Date;
}

export interface NewKey {
  /** The key itself: shown now, and never again. */
  key: string;
  apiKey: ApiKey;
}

/** How long a rotated key goes on beside the new one, unless another time is given. */
export const usualOverlapHours = 24;
export const mostOverlapHours = 30 * 24;
const hourMs = 3_600_000;
/** Keys that one customer may have: the list stays one page that a person can read. */
const mostKeys = 50;

/** Throws BillingError `not_found` for a customer that is not there, `conflict` for too many keys. */
export async function createKey(
  deps: KeyDependencies,
  order: { customerId: string; scope: ApiKeyScope; name?: string },
): Promise<NewKey> {
  const { customerId } = order;
  if ((await deps.customers.get(customerId)) === undefined) {
    throw new BillingError('not_found', `no customer ${customerId}: add it first`);
  }
  if ((await deps.apiKeys.listOf(customerId)).length >= mostKeys) {
    throw new BillingError('conflict', `${customerId} has ${mostKeys} keys: delete one first`);
  }
  return await writeNew(deps, order);
}

async function writeNew(
  deps: KeyDependencies,
  facts: Pick<ApiKey, 'customerId' | 'scope' | 'name'>,
): Promise<NewKey> {
  const key = newApiKey();
  const apiKey = apiKeyRow(key, facts, deps.now());
  if (await deps.apiKeys.add(apiKey)) return { key, apiKey };
  throw new Error('a new key was there already: the source of random bytes is broken');
}

/** Deletes a key, which stops at once. Throws BillingError `not_found`, also for somebody else's. */
export async function deleteKey(
  deps: Pick<KeyDependencies, 'apiKeys'>,
  prefix: string,
  customerId?: string,
): Promise<ApiKey> {
  const apiKey = await findKey(deps, prefix, customerId);
  await deps.apiKeys.remove(apiKey.keyHash);
  return apiKey;
}

/**
 * Makes a new key of the same customer, name and scope; the old one goes on for `overlapHours`. Killed
 * in between, there is one key more than wanted, and none less.
 */
export async function rotateKey(
  deps: KeyDependencies,
  prefix: string,
  { customerId, overlapHours = usualOverlapHours }: { customerId?: string; overlapHours?: number },
): Promise<NewKey & { replaced: ApiKey & { endsAt: string } }> {
  if (!Number.isInteger(overlapHours) || overlapHours < 0 || overlapHours > mostOverlapHours) {
    const range = `from 0 to ${mostOverlapHours}`;
    throw new BillingError('invalid_request', `the overlap must be whole hours ${range}`);
  }
  const old = await findKey(deps, prefix, customerId);
  const made = await writeNew(deps, old);
  const endsAt = new Date(deps.now().getTime() + overlapHours * hourMs).toISOString();
  const ends = await deps.apiKeys.endAt(old.keyHash, endsAt);
  return { ...made, replaced: { ...old, endsAt: ends ? endsAt : (old.endsAt ?? endsAt) } };
}

async function findKey(
  { apiKeys }: Pick<KeyDependencies, 'apiKeys'>,
  prefix: string,
  customerId: string | undefined,
): Promise<ApiKey> {
  const found: ApiKey[] = [];
  const among = customerId === undefined ? apiKeys.list() : await apiKeys.listOf(customerId);
  for await (const apiKey of among) if (apiKey.prefix === prefix) found.push(apiKey);
  const [only, another] = found;
  if (only === undefined) throw new BillingError('not_found', `no key ${prefix}`);
  if (another === undefined) return only;
  throw new BillingError('conflict', `two keys begin with ${prefix}: name the customer`);
}
