import type { z } from 'zod';
import type { Double } from '../double.ts';
import type { MeterEvent } from '../meter-events/ledger.ts';
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
      subscriptions: account.subscriptions.size,
      invoices: account.invoices.size,
      paymentIntents: account.paymentIntents.size,
      checkoutSessions: account.checkoutSessions.size,
      stripeEvents: countEvents(double),
    },
    webhooks: viewWebhooks(double),
    sums: account.ledger.totals(),
    maxConcurrent: activity.concurrency(),
    faults: [...faults.list()],
    events: viewEvents(double, query),
    requests: activity.requests(),
  };
}

/** The figures that can be waited for. */
export function viewProgress(double: Double): Omit<WaitResult, 'reached'> {
  const { account, activity, faults } = double;
  const { attempts, delivered, pending } = account.deliveries.figures;
  return {
    hanging: activity.hanging,
    inFlight: activity.inFlight,
    requests: activity.totalRequests,
    events: account.ledger.size,
    faultHits: faults.list().reduce((sum, { hits }) => sum + hits, 0),
    deliveries: delivered,
    deliveryAttempts: attempts,
    pendingDeliveries: pending,
    stripeEvents: countEvents(double),
  };
}

function countEvents({ account: { events } }: Double): number {
  return events.snapshots.size + events.thin.size;
}

function viewWebhooks({ account }: Double): DoubleState['webhooks'] {
  const { all, ...figures } = account.deliveries.figures;
  return { endpoints: account.endpoints.size, deliveries: all, ...figures };
}

const waitable = [
  'hanging',
  'inFlight',
  'requests',
  'events',
  'faultHits',
  'deliveries',
  'deliveryAttempts',
  'stripeEvents',
] as const;

/** Whether every figure that was asked for is at least so high, and the in-flight one so low. */
export function hasReached(double: Double, query: z.output<typeof waitQuerySchema>): boolean {
  const progress = viewProgress(double);
  if (progress.inFlight > (query.inFlightAtMost ?? Infinity)) return false;
  if (progress.pendingDeliveries > (query.pendingDeliveriesAtMost ?? Infinity)) return false;
  return waitable.every((name) => progress[name] >= (query[name] ?? 0));
}

function isWanted(event: MeterEvent, query: z.output<typeof eventQuerySchema>): boolean {
  return (
    (query.before === undefined || event.sequence < query.before) &&
    (query.customer === undefined || event.customer === query.customer) &&
    (query.eventName === undefined || event.eventName === query.eventName) &&
    (query.identifier === undefined || event.identifier === query.identifier)
  );
}
