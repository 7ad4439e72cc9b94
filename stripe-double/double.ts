import type { Account } from './account/account.ts';
import { openAccount } from './account/account.ts';
import { Activity } from './core/activity.ts';
import { Clock } from './core/clock.ts';
import { expandBody } from './core/expand.ts';
import { Faults } from './core/faults.ts';
import { IdempotencyKeys } from './core/idempotency.ts';
import { Journal } from './core/journal.ts';
import type { Pipeline } from './core/pipeline-types.ts';
import { RateLimiter, noRateLimits } from './core/rate-limit.ts';
import type { Route } from './core/router.ts';
import { createRouter } from './core/router.ts';
import { Store } from './core/store.ts';
import type { RecordedEvent } from './events/event-log.ts';
import { createExpander } from './expander.ts';
import { allRoutes } from './routes.ts';
import type { DeliverySettings } from './webhooks/deliverer.ts';
import { Deliverer, defaultDelivery } from './webhooks/deliverer.ts';
import { addEndpoint, wantsEvent } from './webhooks/endpoints.ts';

export type DoubleOptions = {
  dataDir?: string | undefined;
  secretKeys?: readonly string[] | undefined;
  now?: (() => number) | undefined;
  identifierMemoryMs?: number | undefined;
  /** Where all events go, thin ones too, signed by `secret`. */
  webhooks?: readonly { url: string; secret: string }[] | undefined;
  /** How webhooks are delivered from the start, and after a restart or reset. */
  delivery?: Partial<DeliverySettings> | undefined;
};

type Settings = { latencyMs: number; summaryLagMs: number };
export type Double = Pipeline & {
  account: Account;
  settings: Settings;
  deliverer: Deliverer;
  reset: () => void;
  /** Tells the double where it listens. */
  listensAt: (origin: string) => void;
};

const dayMs = 24 * 60 * 60 * 1000;

/** Puts the double together; a new resource adds its routes in `routes.ts`. */
export function createDouble(options: DoubleOptions): Double {
  const clock = new Clock(options.now ?? Date.now);
  const store = new Store(options.dataDir === undefined ? undefined : new Journal(options.dataDir));
  let origin = 'http://127.0.0.1';
  const account = openAccount(store, clock, {
    identifierMemoryMs: options.identifierMemoryMs ?? dayMs,
    origin: () => origin,
    recorded: (event) => {
      planDeliveries(account, deliverer, event);
    },
  });
  const keys = new IdempotencyKeys(store, clock);
  store.compact();
  const settings: Settings = { latencyMs: 0, summaryLagMs: 0 };
  const [faults, limiter, activity] = [new Faults(), new RateLimiter(), new Activity()];
  const delivery = { ...defaultDelivery, ...options.delivery };
  const deliverer = new Deliverer(account, activity, delivery);
  addStartEndpoints(account, options);
  return {
    secretKeys: options.secretKeys ?? [],
    findRoute: createRouter(withExpand(allRoutes(account, settings), account)),
    clock,
    store,
    keys,
    limiter,
    faults,
    activity,
    settings,
    account,
    deliverer,
    during: (request, work) => account.events.during(request, work),
    listensAt: (at) => {
      origin = at;
      deliverer.wake();
    },
    reset: () => {
      activity.releaseHanging();
      forget(account);
      keys.reset();
      faults.clear();
      limiter.configure(noRateLimits);
      activity.reset();
      Object.assign(settings, { latencyMs: 0, summaryLagMs: 0 });
      deliverer.configure(delivery);
      addStartEndpoints(account, options);
    },
  };
}

function forget({ clock, deliveries, ledger, store }: Account): void {
  store.clear();
  ledger.reset();
  deliveries.reset();
  clock.reset();
}

/** Their ids stay: after a restart elsewhere what is pending goes to where they are then. */
function addStartEndpoints(account: Account, { webhooks }: DoubleOptions): void {
  if (webhooks === undefined) return;
  const wanted = webhooks.map((webhook, index) => ({ id: `we_start${index + 1}`, ...webhook }));
  const ids = new Set(wanted.map(({ id }) => id));
  for (const { id } of account.endpoints.values()) {
    if (id.startsWith('we_start') && !ids.has(id)) account.endpoints.remove(id);
  }
  for (const endpoint of wanted) {
    addEndpoint(account, { ...endpoint, enabledEvents: ['*'], thin: true });
  }
}

function planDeliveries(account: Account, deliverer: Deliverer, event: RecordedEvent): void {
  for (const endpoint of account.endpoints.values()) {
    if (wantsEvent(endpoint, event)) deliverer.plan(event, endpoint);
  }
}

function withExpand(routes: readonly Route[], account: Account): Route[] {
  const expander = createExpander(account);
  return routes.map((route) => ({
    ...route,
    handle: (call) => expandBody(route.handle(call), call.params['expand'], expander),
  }));
}
