/** How a delivery ends or is put off, and who is told. */
import { afterFailedRound } from '../domain/delivery.ts';
import { deadLetterId } from '../domain/ids.ts';
import type { Proof, UsageRecord, UsageSettled } from '../domain/usage.ts';
import { openDeadLetter } from './dead-letter.ts';
import type { Dependencies } from './dependencies.ts';
import { temporary } from './failures.ts';
import { refuseBill } from './settle-bill.ts';

/** How long a shard waits when Stripe refuses our key. */
const haltMs = 5 * 60_000;

/** `dueInMs`: it waits for Stripe's sums, and is due again then. */
export type SendOutcome = UsageSettled & { dueInMs?: number };

/** Tells the workflow that made the usage how its delivery stands. */
export async function settle(deps: Dependencies, record: UsageRecord): Promise<UsageSettled> {
  const settled: UsageSettled = {
    identifier: record.identifier,
    state: record.state,
    ...(record.error === undefined ? {} : { error: record.error }),
  };
  await deps.signals.tellSource(record.source, settled);
  return settled;
}

/** For the record's life. */
export const proofText = {
  answer: 'delivered',
  'already-there': 'delivered: Stripe had it already',
  sums: 'delivered: in Stripe’s own sums',
} as const;

export interface Arrival {
  place: number;
  by: keyof typeof proofText;
}

/**
 * The last of its meter events has arrived, or nothing of it was left to be sent. A record that someone else
 * settled meanwhile is answered as it stands.
 */
export async function confirm(
  deps: Dependencies,
  record: UsageRecord,
  arrival: Arrival | undefined,
): Promise<UsageSettled> {
  const now = deps.now();
  const how = proofText[arrival?.by ?? 'answer'];
  const provenBy = withProof(record, arrival, now);
  const confirmed = await deps.ledger.confirm(record.identifier, now.toISOString(), how, provenBy);
  if (confirmed !== undefined) {
    deps.metrics.deliveries.inc({ outcome: 'delivered' });
    deps.metrics.deliverySeconds.observe((now.getTime() - Date.parse(record.recordedAt)) / 1000);
  }
  const stands = confirmed ?? (await deps.ledger.get(record.identifier));
  return await settle(deps, stands ?? record);
}

/** Of the events that arrived; each is proven for itself, since a redrive sends what is missing alone (DL7). */
export function withProof(
  { provenBy }: UsageRecord,
  arrival: Arrival | undefined,
  now: Date,
): Record<string, Proof> {
  if (arrival === undefined) return { ...provenBy };
  return { ...provenBy, [arrival.place]: { by: arrival.by, at: now.toISOString() } };
}

/**
 * Lays a record aside for a person. The dead letter is written first: if we die in between, the record
 * is still due and comes here again; the other way round it would be forgotten.
 */
export async function layAside(
  deps: Dependencies,
  record: UsageRecord,
  state: 'rejected' | 'parked',
  error: string,
): Promise<UsageSettled> {
  const now = deps.now().toISOString();
  await openLetter(deps, record, state, { error, now });
  const laid = await deps.ledger.layAside(record.identifier, state, error, now);
  return await settle(deps, laid ?? { ...record, state, error });
}

/**
 * Stripe had taken the meter event at `place`, and refused it afterwards (WH9): laid aside like any other
 * refusal, and sent under another name if a person redrives it (DL17). What is laid aside has its letter,
 * and one that a person closed stays closed (WH14).
 */
export async function refuseLater(
  deps: Dependencies,
  record: UsageRecord,
  place: number,
  error: string,
): Promise<void> {
  const now = deps.now().toISOString();
  const isLaidAside = record.state === 'rejected' || record.state === 'parked';
  if (!isLaidAside) await openLetter(deps, record, 'rejected', { error, now });
  const refused = await deps.ledger.refuseLater(record, place, error, now);
  if (refused === undefined) throw temporary(`usage record ${record.identifier} changed under us`);
  await settleRefused(deps, refused);
}

/** Undoes the bill that counted on it (SB25), and tells the source; done again it changes nothing. */
export async function settleRefused(deps: Dependencies, record: UsageRecord): Promise<void> {
  if (record.state === 'rejected') await refuseBill(deps, record);
  await settle(deps, record);
}

async function openLetter(
  deps: Dependencies,
  record: UsageRecord,
  state: 'rejected' | 'parked',
  { error, now }: { error: string; now: string },
): Promise<void> {
  const kind = state === 'rejected' ? 'usage-rejected' : 'usage-parked';
  const { life: _life, ...facts } = record;
  await openDeadLetter(deps, {
    id: deadLetterId(kind, record.identifier),
    kind,
    subject: { identifier: record.identifier },
    customerId: record.customerId,
    error,
    attempts: record.attempts,
    record: { ...facts },
  });
  await noteAtSource(deps, record, error, now);
  const { identifier, customerId, meter } = record;
  deps.logger.error({ identifier, customerId, meter, reason: error }, `usage ${state}`);
  deps.metrics.deliveries.inc({ outcome: state });
}

export interface DeferOrder {
  identifier: string;
  error: string;
  /** Stripe refused our key: the record is not to blame, the shard waits. */
  halted: boolean;
}

/** Times go to workflows as waits: their clock is Temporal's, not ours. */
export type Deferred = { again: false } | { again: true; dueInMs: number };

/**
 * After a round of retries: back to `pending` with a later time, or laid aside when it took too long. A
 * refused key is not the record's fault, and writes nothing into it (DL12): the shard remembers to wait.
 */
export async function deferUsage(deps: Dependencies, order: DeferOrder): Promise<Deferred> {
  const record = await deps.ledger.get(order.identifier);
  if (record === undefined) return { again: false };
  if (record.state !== 'pending' && record.state !== 'sending') {
    await settle(deps, record);
    return { again: false };
  }
  const nowMs = deps.now().getTime();
  const now = new Date(nowMs).toISOString();
  if (order.halted) {
    deps.metrics.deliveryHalted.inc();
    await deps.raiseAlert({ kind: 'delivery_halted', facts: {}, note: order.error });
    await noteAtSource(deps, record, order.error, now);
    await settle(deps, { ...record, state: 'pending', error: order.error });
    return { again: true, dueInMs: haltMs };
  }
  const next = afterFailedRound(record, nowMs);
  const ranOut = `retries ran out; last: ${order.error}`;
  if (next.state === 'parked') {
    await layAside(deps, record, 'parked', ranOut);
    return { again: false };
  }
  await noteAtSource(deps, record, order.error, now);
  const { nextAttemptAt } = next;
  const deferred = await deps.ledger.defer(order.identifier, {
    nextAttemptAt,
    error: order.error,
    now,
    ...(next.gaveUp === true ? { gaveUp: ranOut } : {}),
  });
  await settle(deps, deferred ?? record);
  return { again: true, dueInMs: Date.parse(nextAttemptAt) - nowMs };
}

/** FM6: the processing stays completed and names the error. */
async function noteAtSource(
  deps: Dependencies,
  record: UsageRecord,
  error: string,
  now: string,
): Promise<void> {
  if (record.source.kind !== 'processing') return;
  await deps.processings.noteDeliveryError(record.source.id, error, now);
}
