import { Activity } from './core/activity.ts';
import { Clock } from './core/clock.ts';
import { Faults } from './core/faults.ts';
import { IdempotencyKeys } from './core/idempotency.ts';
import { Journal } from './core/journal.ts';
import type { Pipeline } from './core/pipeline.ts';
import { RateLimiter, noRateLimits } from './core/rate-limit.ts';
import { createRouter } from './core/router.ts';
import { Store } from './core/store.ts';
import type { Account } from './resources/account.ts';
import { openAccount } from './resources/account.ts';
import { customerRoutes } from './resources/customers.ts';
import { meterEventSummaryRoutes } from './resources/meter-event-summaries.ts';
import { meterEventRoutes } from './resources/meter-events.ts';
import { meterRoutes } from './resources/meters.ts';
import { priceRoutes } from './resources/prices.ts';
import { productRoutes } from './resources/products.ts';

export type DoubleOptions = {
  dataDir?: string | undefined;
  secretKeys?: readonly string[] | undefined;
  now?: (() => number) | undefined;
  identifierMemoryMs?: number | undefined;
};

type Settings = { latencyMs: number; summaryLagMs: number };
export type Double = Pipeline & { account: Account; settings: Settings; reset: () => void };

const dayMs = 24 * 60 * 60 * 1000;

/** Puts the double together; a new resource adds its routes here. */
export function createDouble(options: DoubleOptions): Double {
  const clock = new Clock(options.now ?? Date.now);
  const store = new Store(options.dataDir === undefined ? undefined : new Journal(options.dataDir));
  const account = openAccount(store, clock, options.identifierMemoryMs ?? dayMs);
  const keys = new IdempotencyKeys(store, clock);
  store.compact();
  const settings: Settings = { latencyMs: 0, summaryLagMs: 0 };
  const [faults, limiter, activity] = [new Faults(), new RateLimiter(), new Activity()];
  return {
    secretKeys: options.secretKeys ?? [],
    findRoute: createRouter([
      ...customerRoutes(account),
      ...productRoutes(account),
      ...priceRoutes(account),
      ...meterRoutes(account),
      ...meterEventRoutes(account),
      ...meterEventSummaryRoutes(account, settings),
    ]),
    clock,
    store,
    keys,
    limiter,
    faults,
    activity,
    settings,
    account,
    reset: () => {
      activity.releaseHanging();
      store.clear();
      account.ledger.reset();
      clock.reset();
      keys.reset();
      faults.clear();
      limiter.configure(noRateLimits);
      activity.reset();
      Object.assign(settings, { latencyMs: 0, summaryLagMs: 0 });
    },
  };
}
