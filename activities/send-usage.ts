/**
 * Claim → send → confirm: one usage record to Stripe, whatever happened to it before (DL2). Each line
 * may be the last one before a crash; the next run reads the ledger and goes on.
 */
import type Stripe from 'stripe';
import { nextStep, refusalBeforeSending } from '../domain/delivery.ts';
import type { NextStep } from '../domain/delivery.ts';
import { meterEventIdempotencyKey } from '../domain/ids.ts';
import { meterEventsOf, missingEvents } from '../domain/meter-events.ts';
import type { MeterEvent } from '../domain/meter-events.ts';
import type { UsageRecord, UsageSettled } from '../domain/usage.ts';
import type { Dependencies } from './dependencies.ts';
import { resolveDoubt } from './doubtful-usage.ts';
import { permanent, stripeProblem, temporary } from './failures.ts';
import { confirm, layAside, proofText, settle, withProof } from './settle-usage.ts';
import type { Arrival, SendOutcome } from './settle-usage.ts';
import { countCalls } from './stripe-calls.ts';

/** No call to Stripe begins later than this in an activity of 15 s, so that none outlives it. */
const lateMs = 4000;

export async function sendUsage(deps: Dependencies, identifier: string): Promise<SendOutcome> {
  const startedMs = performance.now();
  const found = await deps.ledger.get(identifier);
  if (found === undefined) throw permanent('Refused', `no usage record ${identifier}`);
  if (found.state !== 'pending' && found.state !== 'sending') return await settle(deps, found);
  if (deps.stripe === undefined) throw permanent('DeliveryHalted', 'billing is off: no Stripe key');
  let record = found;
  let next = await stepFor(deps, record);
  if (next.step === 'ask') {
    const resolved = await resolveDoubt(deps, deps.stripe, record);
    if ('outcome' in resolved) return resolved.outcome;
    record = resolved.record;
    next = await stepFor(deps, record);
  }
  if (next.step === 'lay-aside') return await layAside(deps, record, next.state, next.reason);
  if (next.step === 'ask') throw temporary(`usage record ${identifier} changed under us`);
  if (isLate(startedMs)) throw temporary('the table store or Stripe is slow');
  const claimed = await deps.ledger.claim(identifier, deps.now().toISOString());
  if (claimed === undefined) throw temporary(`usage record ${identifier} changed under us`);
  if (isLate(startedMs)) throw temporary('the table store is slow');
  return await attempt(deps, deps.stripe, { before: record, claimed, startedMs });
}

async function stepFor(deps: Dependencies, record: UsageRecord): Promise<NextStep> {
  const nowMs = deps.now().getTime();
  const refusal = refusalBeforeSending(record, nowMs) ?? (await sharedIdentifier(deps, record));
  return nextStep(record, nowMs, refusal);
}

function isLate(startedMs: number): boolean {
  return performance.now() - startedMs > lateMs;
}

interface Attempt {
  /** As it was before the claim, so that a refused key leaves no trace. */
  before: UsageRecord;
  claimed: UsageRecord;
  startedMs: number;
}

/** Its meter events one after another, those that are not known to have arrived (DL7). */
async function attempt(
  deps: Dependencies,
  stripe: Stripe,
  { before, claimed, startedMs }: Attempt,
): Promise<UsageSettled> {
  const all = meterEventsOf(claimed).length;
  let record = claimed;
  for (;;) {
    const [event, following] = missingEvents(record);
    if (event === undefined) return await confirm(deps, record, undefined);
    if (record !== claimed && isLate(startedMs)) {
      throw temporary(`some of ${all} meter events are sent, the others follow`);
    }
    let by: Arrival['by'] = 'answer';
    const { calls, failure } = await create(stripe, record, event);
    if (failure !== undefined) {
      const which = all > 1 ? `meter event ${event.place} of ${all}: ` : '';
      const untouched = record === claimed && calls === 1 ? before : undefined;
      // By an earlier call of the same event; one that follows others is called for the first time.
      const inDoubt = calls > 1 || (record === claimed && before.doubtSince !== undefined);
      const failed = await afterFailure(deps, { record, untouched, inDoubt }, failure, which);
      if (failed !== 'arrived') return failed;
      by = 'already-there';
    }
    const arrival = { place: event.place, by };
    if (following === undefined) return await confirm(deps, record, arrival);
    record = await noteEvent(deps, record, arrival);
  }
}

/**
 * One call, which the SDK itself repeats once when its connection was closed: `calls` tells, since the
 * first of two may have been applied whatever the second was answered.
 */
async function create(
  stripe: Stripe,
  record: UsageRecord,
  event: MeterEvent,
): Promise<{ calls: number; failure?: unknown }> {
  const { meter, customerId, occurredAt, attempts, freshKey } = record;
  const idempotencyKey = meterEventIdempotencyKey(event.name, attempts, freshKey);
  const counting = countCalls(stripe, idempotencyKey);
  try {
    await stripe.billing.meterEvents.create(
      {
        event_name: meter,
        identifier: event.identifier,
        timestamp: Math.floor(Date.parse(occurredAt) / 1000),
        payload: { stripe_customer_id: customerId, value: event.value },
      },
      { idempotencyKey },
    );
    return { calls: counting.end() };
  } catch (failure) {
    return { calls: counting.end(), failure };
  }
}

/** Until it is noted an event is sent again, under the same identifier: Stripe counts it once. */
async function noteEvent(
  deps: Dependencies,
  record: UsageRecord,
  arrival: Arrival,
): Promise<UsageRecord> {
  const { place, by } = arrival;
  const now = deps.now();
  const what = `event ${place} of ${meterEventsOf(record).length} ${proofText[by]}`;
  const line = { what, now: now.toISOString(), next: true };
  const provenBy = withProof(record, arrival, now);
  const noted = await deps.ledger.noteEvent(record, place, { ...line, provenBy });
  if (noted === undefined) throw temporary(`usage record ${record.identifier} changed under us`);
  return noted;
}

/** `job.2` may be the second event of `job` or a record of its own: Stripe would count one of them. */
async function sharedIdentifier(
  deps: Dependencies,
  record: UsageRecord,
): Promise<string | undefined> {
  for (const { identifier } of meterEventsOf(record).slice(1)) {
    if (await deps.ledger.has(identifier)) {
      return `its meter event ${identifier} has the identifier of another usage record`;
    }
  }
  return undefined;
}

interface Failed {
  record: UsageRecord;
  /** The row before the claim, when nothing but this one call was made under it. */
  untouched: UsageRecord | undefined;
  /** An earlier call of the event may have arrived. */
  inDoubt: boolean;
}

async function afterFailure(
  deps: Dependencies,
  { record, untouched, inDoubt }: Failed,
  error: unknown,
  which: string,
): Promise<UsageSettled | 'arrived'> {
  const problem = stripeProblem(error);
  if (problem === undefined) throw error;
  if (problem.kind === 'already_exists') return 'arrived';
  const message = `${which}${problem.message}`;
  if (problem.kind === 'refused') {
    const now = deps.now().toISOString();
    const noted = await deps.ledger.noteRefusal(record, message, { inDoubt, now });
    if (noted === undefined) throw temporary(`usage record ${record.identifier} changed under us`);
    if (!inDoubt) return await layAside(deps, noted, 'rejected', message);
    throw temporary(`${message}; an earlier call may have arrived: Stripe’s sums are asked`);
  }
  deps.metrics.deliveries.inc({ outcome: problem.kind });
  if (problem.kind === 'unauthorized' && untouched !== undefined) {
    await deps.ledger.unclaim(untouched, record);
    throw permanent('DeliveryHalted', message);
  }
  const spent = problem.kind === 'spent_key';
  const now = deps.now().toISOString();
  await deps.ledger.noteFailure(record.identifier, message, spent || record.freshKey, now);
  if (problem.kind === 'unauthorized') throw permanent('DeliveryHalted', message);
  throw temporary(message, problem.kind === 'transient' ? problem.retryAfterMs : undefined);
}
