/** How a delivery ends or is put off, and who is told. */
import { afterFailedRound } from '../domain/delivery.ts';
import { deadLetterId } from '../domain/ids.ts';
import type { UsageRecord, UsageSettled } from '../domain/usage.ts';
import type { Dependencies } from './dependencies.ts';

/** How long a shard waits when Stripe refuses our key. */
const haltMs = 5 * 60_000;

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
  const kind = state === 'rejected' ? 'usage-rejected' : 'usage-parked';
  const { life: _life, ...facts } = record;
  await deps.deadLetters.open(
    {
      id: deadLetterId(kind, record.identifier),
      kind,
      subject: record.identifier,
      customerId: record.customerId,
      error,
      attempts: record.attempts,
      record: { ...facts },
    },
    now,
  );
  await noteAtSource(deps, record, error, now);
  const laid =
    record.state === 'delivered'
      ? await deps.ledger.refuseLater(record.identifier, error, now)
      : await deps.ledger.layAside(record.identifier, state, error, now);
  const { identifier, customerId, meter } = record;
  deps.logger.error({ identifier, customerId, meter, reason: error }, `usage ${state}`);
  deps.metrics.deliveries.inc({ outcome: state });
  deps.metrics.deadLetters.inc({ kind });
  return await settle(deps, laid ?? { ...record, state, error });
}

export interface DeferOrder {
  identifier: string;
  error: string;
  /** Stripe refused our key: the record is not to blame, the shard waits. */
  halted: boolean;
}

/** Stripe had taken it and refused it afterwards: laid aside like any other refusal (WH9). */
export async function refuseDelivered(
  deps: Dependencies,
  record: UsageRecord,
  reason: string,
): Promise<void> {
  await layAside(deps, record, 'rejected', reason);
}

/** Times go to workflows as waits: their clock is Temporal's, not ours. */
export type Deferred = { again: false } | { again: true; dueInMs: number };

/** After a round of retries: back to `pending` with a later time, or laid aside when it took too long. */
export async function deferUsage(deps: Dependencies, order: DeferOrder): Promise<Deferred> {
  const record = await deps.ledger.get(order.identifier);
  if (record === undefined) return { again: false };
  if (record.state !== 'pending' && record.state !== 'sending') {
    await settle(deps, record);
    return { again: false };
  }
  const now = deps.now();
  const next = order.halted
    ? { state: 'pending' as const, nextAttemptAt: new Date(now.getTime() + haltMs).toISOString() }
    : afterFailedRound(record, now.getTime());
  if (next.state === 'parked') {
    await layAside(deps, record, 'parked', `retries ran out; last: ${order.error}`);
    return { again: false };
  }
  if (order.halted) {
    deps.metrics.deliveryHalted.inc();
    deps.logger.error({ reason: order.error }, 'ALARM: delivery to Stripe is halted');
  }
  await noteAtSource(deps, record, order.error, now.toISOString());
  const { identifier } = order;
  const deferred = await deps.ledger.defer(
    identifier,
    next.nextAttemptAt,
    order.error,
    now.toISOString(),
  );
  await settle(deps, deferred ?? record);
  return { again: true, dueInMs: Date.parse(next.nextAttemptAt) - now.getTime() };
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
