/** What the routes of the guarded API need, when a test is not about them. */
import { apiKeyPrefix, apiKeyRandomBytes, formatApiKey } from '../../domain/api-keys.ts';
import type { ApiKey } from '../../domain/api-keys.ts';
import { hashApiKey } from '../../platform/api-keys.ts';
import { createOutageAllowance } from '../../operations/outage-allowance.ts';
import { createRefusals } from '../../operations/refusals.ts';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import type { AppDependencies } from '../../server/app.ts';
import { createKeyMemory } from '../../server/key-memory.ts';
import { notInThisTest } from './dead-letters-support.ts';

export type Api = Pick<
  AppDependencies,
  'door' | 'keys' | 'budgets' | 'casts' | 'files' | 'billing' | 'usage' | 'customers'
>;

/** No request is too many. */
export const noLimit: Api['door']['limit'] = {
  take: async () =>
    await Promise.resolve({ allowed: true, limit: 1000, remaining: 999, resetSeconds: 60 }),
};

const now = () => new Date();

/** Nobody has a key, and there is no operator. */
const noDoor: Api['door'] = {
  adminToken: undefined,
  apiKeys: { find: async () => await Promise.resolve(undefined), touch: notInThisTest },
  memory: createKeyMemory(now),
  limit: noLimit,
  now,
};

function notThere(): never {
  throw new Error('not in this test');
}

const noKeys: Api['keys'] = {
  apiKeys: {
    find: notInThisTest,
    add: notInThisTest,
    listOf: notInThisTest,
    list: notThere,
    remove: notInThisTest,
    endAt: notInThisTest,
    touch: notInThisTest,
  },
  customers: { get: notInThisTest },
  now,
};

const noBudgets: Api['budgets'] = {
  spending: { read: notInThisTest, change: notInThisTest },
  now,
};

const noFiles: Api['files'] = { objects: { uploadUrl: notInThisTest } };

const noCasts: Api['casts'] = {
  casts: {
    processings: { get: notInThisTest },
    spending: {
      reserve: notInThisTest,
      foresee: notInThisTest,
      join: notInThisTest,
      leave: notInThisTest,
      passSoftLimit: notInThisTest,
    },
    engine: { startProcessing: notInThisTest, readStartedRequest: notInThisTest },
    measureFiles: notInThisTest,
    price: { centsPerCast: 1, centsPerByte: '0' },
    refusals: createRefusals(),
    allowance: createOutageAllowance(0),
    raiseAlert: notInThisTest,
    logger: createLogger('server', 'silent'),
    now,
    wallClock: now,
  },
  runs: {
    processings: { get: notInThisTest, page: notInThisTest },
    spending: { get: notInThisTest },
    engine: { readProgress: notInThisTest },
    now,
  },
  limit: noLimit,
  metrics: createMetrics(),
};

/** Billing is off. */
const noBilling: Api['billing'] = {
  stripe: undefined,
  customers: { get: notInThisTest, standingOf: notInThisTest },
  subscriptions: { get: notInThisTest, ofCustomer: notInThisTest },
  payments: { ofCustomer: notInThisTest },
  publicUrl: undefined,
};

const noUsage: Api['usage'] = {
  ledger: { get: notInThisTest, quantitiesOf: notThere },
  storageDaily: { ofMonth: notInThisTest },
  spending: { get: notInThisTest },
  customers: { standingOf: notInThisTest },
  subscriptions: { get: notInThisTest },
  averageOver: 'recorded-days',
  now,
};

const noCustomers: Api['customers'] = {
  stripe: undefined,
  customers: { get: notInThisTest, add: notInThisTest, page: notInThisTest },
  account: noBilling,
  plan: 'free',
  now,
};

export const noApi: Api = {
  door: noDoor,
  keys: noKeys,
  budgets: noBudgets,
  casts: noCasts,
  files: noFiles,
  billing: noBilling,
  usage: noUsage,
  customers: noCustomers,
};

/** A key that `withOperator` knows. */
const someKey = formatApiKey(new Uint8Array(apiKeyRandomBytes));
const someApiKey: ApiKey = {
  keyHash: hashApiKey(someKey) ?? '',
  prefix: apiKeyPrefix(someKey),
  customerId: 'cus_1',
  scope: 'cast',
  createdAt: '2026-11-21T10:00:00.000Z',
};
export const asCustomer = { authorization: `Bearer ${someKey}` };

/** An operator with that token, and one customer's key. */
export const withOperator = (adminToken: string | undefined): Pick<Api, 'door'> => ({
  door: {
    ...noDoor,
    adminToken,
    apiKeys: {
      find: async (hash) =>
        await Promise.resolve(hash === someApiKey.keyHash ? someApiKey : undefined),
      touch: async () => {
        await Promise.resolve();
      },
    },
  },
});
