/**
 * Claim → send → confirm: one usage record to Stripe, whatever happened to it before (DL2). Each line
 * may be the last one before a crash; the next run reads the ledger and goes on.
 */
import type Stripe from 'stripe';
import {
  arrivedAndUncertain,
  minuteOf,
  mustReconcile,
  reconcile,
  refusalBeforeSending,
} from '../domain/delivery.ts';
import type { Verdict } from '../domain/delivery.ts';
import { meterEventIdempotencyKey } from '../domain/ids.ts';
import { meterEventsOf } from '../domain/meter-events.ts';
import type { MeterEvent } from '../domain/meter-events.ts';
import type { UsageRecord, UsageSettled } from '../domain/usage.ts';
import type { Dependencies } from './dependencies.ts';
import { permanent, stripeProblem, temporary } from './failures.ts';
import { layAside, settle } from './settle-usage.ts';

/** No call to Stripe begins later than this in an activity of 15 s, so that none outlives it. */
const lateMs = 4000;

export async function sendUsage(deps: Dependencies, identifier: string): Promise<UsageSettled> {
  const startedMs = performance.now();
  const found = await deps.ledger.get(identifier);
  if (found === undefined) throw permanent('Refused', `no usage record ${identifier}`);
  if (found.state !== 'pending' && found.state !== 'sending') return await settle(deps, found);
  if (deps.stripe === undefined) throw permanent('DeliveryHalted', 'billing is off: no Stripe key');
  const refusal =
    refusalBeforeSending(found, deps.now().getTime()) ?? (await sharedIdentifier(deps, found));
  if (refusal !== undefined) return await layAside(deps, found, 'rejected', refusal);
  let arrived = found.eventsSent ?? 0;
  if (mustReconcile(found, deps.now().getTime())) {
    const verdict = await askStripesSums(deps, deps.stripe, found);
    if (verdict === 'unclear') {
      const reason = 'first sent over a day ago, and Stripe’s sums do not tell whether it arrived';
      return await layAside(deps, found, 'parked', reason);
    }
    if (verdict === 'arrived') {
      const how = 'delivered: in Stripe’s own sums';
      arrived += 1;
      if (arrived === meterEventsOf(found).length) return await confirm(deps, found, how);
      await noteEvent(deps, found, arrived, how);
    }
  }
  const claimed = await deps.ledger.claim(identifier, deps.now().toISOString());
  if (claimed === undefined) throw temporary(`usage record ${identifier} changed under us`);
  if (isLate(startedMs)) throw temporary('the table store is slow');
  return await attempt(deps, deps.stripe, claimed, startedMs);
}

function isLate(startedMs: number): boolean {
  return performance.now() - startedMs > lateMs;
}

/** Its meter events one after another, from the first that is not known to have arrived (DL7). */
async function attempt(
  deps: Dependencies,
  stripe: Stripe,
  record: UsageRecord,
  startedMs: number,
): Promise<UsageSettled> {
  const events = meterEventsOf(record);
  let how = 'delivered';
  for (const [index, event] of events.entries()) {
    const place = index + 1;
    if (place <= (record.eventsSent ?? 0)) continue;
    if (index > 0 && isLate(startedMs)) {
      throw temporary(`${index} of ${events.length} meter events are sent, the others follow`);
    }
    how = 'delivered';
    try {
      await create(stripe, record, event);
    } catch (error) {
      const which = events.length > 1 ? `meter event ${place} of ${events.length}: ` : '';
      const failed = await afterFailure(deps, record, error, which);
      if (failed !== 'arrived') return failed;
      how = 'delivered: Stripe had it already';
    }
    if (place < events.length) await noteEvent(deps, record, place, how);
  }
  return await confirm(deps, record, how);
}

async function create(stripe: Stripe, record: UsageRecord, event: MeterEvent): Promise<void> {
  const { meter, customerId, occurredAt, attempts, freshKey } = record;
  await stripe.billing.meterEvents.create(
    {
      event_name: meter,
      identifier: event.identifier,
      timestamp: Math.floor(Date.parse(occurredAt) / 1000),
      payload: { stripe_customer_id: customerId, value: event.value },
    },
    { idempotencyKey: meterEventIdempotencyKey(event.identifier, attempts, freshKey) },
  );
}

/** Until it is noted an event is sent again, under the same identifier: Stripe counts it once. */
async function noteEvent(
  deps: Dependencies,
  record: UsageRecord,
  place: number,
  how: string,
): Promise<void> {
  const what = `event ${place} of ${meterEventsOf(record).length} ${how}`;
  const noted = await deps.ledger.noteEvent(
    record.identifier,
    place,
    what,
    deps.now().toISOString(),
  );
  if (!noted) throw temporary(`usage record ${record.identifier} changed under us`);
}

/** `job.2` may be the second event of `job` or a record of its own: Stripe would count one of them. */
async function sharedIdentifier(
  deps: Dependencies,
  record: UsageRecord,
): Promise<string | undefined> {
  for (const { identifier } of meterEventsOf(record).slice(1)) {
    if ((await deps.ledger.get(identifier)) !== undefined) {
      return `its meter event ${identifier} has the identifier of another usage record`;
    }
  }
  return undefined;
}

async function afterFailure(
  deps: Dependencies,
  record: UsageRecord,
  error: unknown,
  which: string,
): Promise<UsageSettled | 'arrived'> {
  const problem = stripeProblem(error);
  if (problem === undefined) throw error;
  if (problem.kind === 'already_exists') return 'arrived';
  const message = `${which}${problem.message}`;
  if (problem.kind === 'refused') return await layAside(deps, record, 'rejected', message);
  deps.metrics.deliveries.inc({ outcome: problem.kind });
  const spent = problem.kind === 'spent_key';
  const now = deps.now().toISOString();
  await deps.ledger.noteFailure(record.identifier, message, spent || record.freshKey, now);
  if (problem.kind === 'unauthorized') throw permanent('DeliveryHalted', message);
  throw temporary(message, problem.kind === 'transient' ? problem.retryAfterMs : undefined);
}

/** A record that someone else settled meanwhile is answered as it stands. */
async function confirm(
  deps: Dependencies,
  record: UsageRecord,
  how: string,
): Promise<UsageSettled> {
  const now = deps.now();
  const confirmed = await deps.ledger.confirm(record.identifier, now.toISOString(), how);
  if (confirmed !== undefined) {
    deps.metrics.deliveries.inc({ outcome: 'delivered' });
    deps.metrics.deliverySeconds.observe((now.getTime() - Date.parse(record.recordedAt)) / 1000);
  }
  const stands = confirmed ?? (await deps.ledger.get(record.identifier));
  return await settle(deps, stands ?? record);
}

/** Compares Stripe's sum of the record's minute with the ledger's (DL2, after a day). */
async function askStripesSums(
  deps: Dependencies,
  stripe: Stripe,
  record: UsageRecord,
): Promise<Verdict> {
  const { startSeconds, endSeconds } = minuteOf(record.occurredAt);
  const meterId = await findMeterId(stripe, record.meter);
  if (meterId === undefined) return 'unclear';
  let stripeTotal = 0n;
  const summaries = stripe.billing.meters.listEventSummaries(meterId, {
    customer: record.customerId,
    start_time: startSeconds,
    end_time: endSeconds,
  });
  for await (const summary of summaries) {
    // A JSON number: past 2^53 it is no longer exact, and then it proves nothing.
    if (!Number.isSafeInteger(summary.aggregated_value)) return 'unclear';
    stripeTotal += BigInt(summary.aggregated_value);
  }
  let deliveredTotal = 0n;
  const uncertain: { identifier: string; quantity: string }[] = [];
  const from = new Date(startSeconds * 1000).toISOString();
  const to = new Date(endSeconds * 1000).toISOString();
  for await (const other of deps.ledger.ofCustomer(record.customerId, from, to)) {
    if (other.meter !== record.meter) continue;
    const known = arrivedAndUncertain(other);
    deliveredTotal += BigInt(known.arrived);
    if (known.uncertain !== '0') {
      uncertain.push({ identifier: other.identifier, quantity: known.uncertain });
    }
  }
  return reconcile(record.identifier, {
    stripeTotal: String(stripeTotal),
    deliveredTotal: String(deliveredTotal),
    uncertain,
  });
}

async function findMeterId(stripe: Stripe, eventName: string): Promise<string | undefined> {
  for await (const meter of stripe.billing.meters.list({ status: 'active', limit: 100 })) {
    if (meter.event_name === eventName) return meter.id;
  }
  return undefined;
}
