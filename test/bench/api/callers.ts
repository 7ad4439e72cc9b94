/** Who casts: with room for everything, with room for nothing, too often, and with no key that we know. */
import type { Posted } from '../support/load.ts';
import type { BenchStack } from '../support/stack.ts';
import { inputKey } from '../../../domain/files.ts';
import { createKey } from '../../../operations/keys.ts';
import { openTables } from '../../../tables/open.ts';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { castCents, wideBudgetCents } from './options.ts';

export interface Callers {
  /** Customers with room for every cast, by their keys. */
  rich: { customerId: string; key: string }[];
  /** Room for less than one cast. */
  poor: string;
  /** Room enough, and one request a minute at the strict door. */
  busy: string;
}

const file = 'file.bin';
const richCustomers = 20;

export async function makeCallers(stack: BenchStack): Promise<Callers> {
  const { apiKeys, customers, spending } = openTables(stack.tables);
  const now = (): Date => new Date();
  const make = async (customerId: string, hardLimitCents: number): Promise<string> => {
    await stack.stripe.createCustomer({ id: customerId });
    const createdAt = now().toISOString();
    await customers.add({ customerId, plan: 'free', billingStatus: 'active', createdAt });
    await spending.change(customerId, { hardLimitCents });
    const Key = inputKey(customerId, file);
    await stack.s3.send(
      new PutObjectCommand({ Bucket: stack.config.BUCKET, Key, Body: 'of a benchmark' }),
    );
    return (await createKey({ apiKeys, customers, now }, { customerId, scope: 'cast' })).key;
  };
  const ids = Array.from({ length: richCustomers }, (_, index) => `cus_rich${index}`);
  const rich = [];
  for (const customerId of ids) {
    rich.push({ customerId, key: await make(customerId, wideBudgetCents) });
  }
  return {
    rich,
    poor: await make('cus_poor', castCents - 1),
    busy: await make('cus_busy', wideBudgetCents),
  };
}

/** `count` casts of these keys in turn. */
export function castsOf(keys: readonly string[], count: number): Posted[] {
  const body = JSON.stringify({ files: [{ key: file }] });
  return Array.from({ length: count }, (_, index) => ({
    body,
    headers: { authorization: keys[index % keys.length] ?? '' },
  }));
}

export const bearer = (key: string): string => `Bearer ${key}`;
