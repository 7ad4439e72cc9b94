import type { z } from 'zod';
import type { Double } from '../double.ts';
import type { MeterEvent } from '../resources/meter-ledger.ts';
import type {
  DoubleClock,
  DoubleEventPage,
  DoubleSettings,
  DoubleState,
  WaitResult,
  eventQuerySchema,
  waitQuerySchema,
} from './contract.ts';

export function viewClock({ clock }: Double): DoubleClock {
  return { ...clock.state, now: new Date(clock.nowMs()).toISOString() };
}

export function viewSettings({ limiter, settings }: Double): DoubleSettings {
  return { ...limiter.limits, ...settings };
}

/** A page of accepted meter events, newest first. */
export function viewEvents(
  { account }: Double,
  query: z.output<typeof eventQuerySchema>,
): DoubleEventPage {
  const events: MeterEvent[] = [];
  for (const event of account.ledger.newest()) {
    if (!isWanted(event, query)) continue;
    if (events.length === query.limit) return { events, hasMore: true };
    events.push(event);
  }
  return { events, hasMore: false };
}

/** Everything at once: what a test asserts and what a person looks for. */
export function viewState(double: Double, query: z.output<typeof eventQuerySchema>): DoubleState {
  const { account, activity, faults } = double;
  return {
    clock: viewClock(double),
    settings: viewSettings(double),
    inFlight: activity.inFlight,
    hanging: activity.hanging,
    totalRequests: activity.totalRequests,
    counts: {
      customers: account.customers.size,
      products: account.products.size,
      prices: account.prices.size,
      meters: account.meters.size,
      events: account.ledger.size,
    },
    sums: account.ledger.totals(),
    maxConcurrent: activity.concurrency(),
    faults: [...faults.list()],
    events: viewEvents(double, query),
    requests: activity.requests(),
  };
}

/** The figures that can be waited for. */
export function viewProgress({ account, activity, faults }: Double): Omit<WaitResult, 'reached'> {
  return {
    hanging: activity.hanging,
    inFlight: activity.inFlight,
    requests: activity.totalRequests,
    events: account.ledger.size,
    faultHits: faults.list().reduce((sum, { hits }) => sum + hits, 0),
  };
}

/** Whether every figure that was asked for is at least so high, and the in-flight one so low. */
export function hasReached(double: Double, query: z.output<typeof waitQuerySchema>): boolean {
  const progress = viewProgress(double);
  if (progress.inFlight > (query.inFlightAtMost ?? Infinity)) return false;
  return (['hanging', 'inFlight', 'requests', 'events', 'faultHits'] as const).every(
    (name) => progress[name] >= (query[name] ?? 0),
  );
}

function isWanted(event: MeterEvent, query: z.output<typeof eventQuerySchema>): boolean {
  return (
    (query.before === undefined || event.sequence < query.before) &&
    (query.customer === undefined || event.customer === query.customer) &&
    (query.eventName === undefined || event.eventName === query.eventName) &&
    (query.identifier === undefined || event.identifier === query.identifier)
  );
}
