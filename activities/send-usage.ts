/**
 * Claim → send → confirm: one usage record to Stripe, whatever happened to it before (DL2). Each line
 * may be the last one before a crash; the next run reads the ledger and goes on.
 */
import type Stripe from 'stripe';
import { minuteOf, mustReconcile, reconcile, refusalBeforeSending } from '../domain/delivery.ts';
import type { Verdict } from '../domain/delivery.ts';
import { meterEventIdempotencyKey } from '../domain/ids.ts';
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
  const refusal = refusalBeforeSending(found, deps.now().getTime());
  if (refusal !== undefined) return await layAside(deps, found, 'rejected', refusal);
  if (mustReconcile(found, deps.now().getTime())) {
    const verdict = await askStripesSums(deps, deps.stripe, found);
    if (verdict === 'arrived') return await confirm(deps, found, 'delivered: in Stripe’s own sums');
    if (verdict === 'unclear') {
      const reason = 'first sent over a day ago, and Stripe’s sums do not tell whether it arrived';
      return await layAside(deps, found, 'parked', reason);
    }
  }
  const claimed = await deps.ledger.claim(identifier, deps.now().toISOString());
  if (claimed === undefined) throw temporary(`usage record ${identifier} changed under us`);
  if (performance.now() - startedMs > lateMs) throw temporary('the table store is slow');
  return await attempt(deps, deps.stripe, claimed);
}

async function attempt(
  deps: Dependencies,
  stripe: Stripe,
  record: UsageRecord,
): Promise<UsageSettled> {
  try {
    await stripe.billing.meterEvents.create(
      {
        event_name: record.meter,
        identifier: record.identifier,
        timestamp: Math.floor(Date.parse(record.occurredAt) / 1000),
        payload: { stripe_customer_id: record.customerId, value: record.quantity },
      },
      {
        idempotencyKey: meterEventIdempotencyKey(
          record.identifier,
          record.attempts,
          record.freshKey,
        ),
      },
    );
  } catch (error) {
    return await afterFailure(deps, record, error);
  }
  return await confirm(deps, record, 'delivered');
}

async function afterFailure(
  deps: Dependencies,
  record: UsageRecord,
  error: unknown,
): Promise<UsageSettled> {
  const problem = stripeProblem(error);
  if (problem === undefined) throw error;
  if (problem.kind === 'already_exists') {
    return await confirm(deps, record, 'delivered: Stripe had it already');
  }
  if (problem.kind === 'refused') return await layAside(deps, record, 'rejected', problem.message);
  deps.metrics.deliveries.inc({ outcome: problem.kind });
  const spent = problem.kind === 'spent_key';
  const now = deps.now().toISOString();
  await deps.ledger.noteFailure(record.identifier, problem.message, spent || record.freshKey, now);
  if (problem.kind === 'unauthorized') throw permanent('DeliveryHalted', problem.message);
  throw temporary(problem.message, problem.kind === 'transient' ? problem.retryAfterMs : undefined);
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
    if (other.state === 'delivered') deliveredTotal += BigInt(other.quantity);
    else if (other.attempts > 0) uncertain.push(other);
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
