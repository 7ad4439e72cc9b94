import type { Account } from '../account/account.ts';
import { refused } from '../core/errors.ts';

/** Gives a lookup key to one price; taking it from another one must be asked for. */
export function claimLookupKey(
  account: Account,
  key: string,
  priceId: string,
  take: boolean,
): void {
  for (const other of account.prices.values()) {
    if (other.lookup_key !== key || other.id === priceId) continue;
    if (!take) {
      const message = `A price (\`${other.id}\`) already uses that lookup key.`;
      throw refused(message, { code: 'resource_already_exists', param: 'lookup_key' });
    }
    account.prices.put(other.id, { ...other, lookup_key: null });
  }
}
