/**
 * The usage ledger: the truth about usage, of which Stripe gets a copy. A row is written once and
 * changes in nothing but its delivery (DL1); every change of state is conditional on the state before.
 */
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { BillingError } from '../domain/errors.ts';
import { deliveryShard } from '../domain/ids.ts';
import { laterEventOf, meterEventsOf } from '../domain/meter-events.ts';
import { conflictingFacts, needsDelivery, parseQuantity } from '../domain/usage.ts';
import type { DeliveryState, Usage, UsageRecord } from '../domain/usage.ts';
import { conditionHeld, updateIf } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { tableSchemas } from './schema.ts';
import { createUsageQueries } from './usage-queries.ts';
import { rowSchema } from './usage-row.ts';
import { transition } from './usage-transition.ts';
import type { Step } from './usage-transition.ts';

export type UsageLedger = ReturnType<typeof createUsageLedger>;

export function createUsageLedger(store: TableStore) {
  const { db, prefix } = store;
  const TableName = `${prefix}${tableSchemas.usageLedger.name}`;

  async function get(identifier: string): Promise<UsageRecord | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { identifier }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : rowSchema.parse(Item);
  }

  /**
   * Writes a usage record once. Offered again with the same facts it answers with the row that is
   * there; with other facts it throws BillingError `conflict`, which names them, and with a quantity
   * that is not a whole number `invalid_request`.
   */
  async function record(usage: Usage, now: string): Promise<UsageRecord> {
    parseQuantity(usage.quantity);
    await refuseLaterEvent(usage.identifier);
    const waits = needsDelivery(usage);
    const row: UsageRecord = {
      ...usage,
      recordedAt: now,
      state: waits ? 'pending' : 'delivered',
      attempts: 0,
      rounds: 0,
      freshKey: false,
      ...(waits ? { nextAttemptAt: now } : { deliveredAt: now }),
      life: [{ at: now, what: waits ? 'recorded' : 'recorded: zero, nothing to send' }],
    };
    const shard = waits ? { deliveryShard: deliveryShard(usage.customerId, usage.meter) } : {};
    const put = new PutCommand({
      TableName,
      Item: { ...row, ...shard },
      ConditionExpression: 'attribute_not_exists(identifier)',
    });
    if (await conditionHeld(db.send(put))) return row;
    const stored = await get(usage.identifier);
    if (stored === undefined) throw new Error(`usage record ${usage.identifier} vanished`);
    const differing = conflictingFacts(stored, usage);
    if (differing.length === 0) return stored;
    throw new BillingError(
      'conflict',
      `usage ${usage.identifier} is in the ledger with other facts: ${differing.join('; ')}`,
    );
  }

  /** `job.2` is no record's name while `job` takes two meter events or more (DL7). */
  async function refuseLaterEvent(identifier: string): Promise<void> {
    const later = laterEventOf(identifier);
    if (later === undefined) return;
    const base = await get(later.identifier);
    if (base === undefined || meterEventsOf(base).length < later.place) return;
    throw new BillingError(
      'conflict',
      `usage ${identifier} would have the identifier of a meter event of ${later.identifier}`,
    );
  }

  /** Changes the delivery of a record that is in one of the states `from`; undefined when it is not. */
  async function change(
    identifier: string,
    from: DeliveryState[],
    step: Step,
  ): Promise<UsageRecord | undefined> {
    const row = await updateIf(store, { TableName, ...transition(identifier, from, step) });
    return row === undefined ? undefined : rowSchema.parse(row);
  }

  /** Written before the call to Stripe, with the time of the first attempt (DL2). */
  async function claim(identifier: string, now: string): Promise<UsageRecord | undefined> {
    return await change(identifier, ['pending', 'sending'], {
      now,
      what: 'sending',
      set: { state: 'sending', nextAttemptAt: now },
      count: 'attempts',
    });
  }

  /** Stripe has it. */
  async function confirm(
    identifier: string,
    now: string,
    how: string,
  ): Promise<UsageRecord | undefined> {
    return await change(identifier, ['pending', 'sending'], {
      now,
      what: how,
      set: { state: 'delivered', deliveredAt: now },
      remove: ['deliveryShard', 'nextAttemptAt', 'error', 'eventsSent'],
    });
  }

  /** Keeps what an attempt met; the record stays `sending`, for the call may have been applied. */
  async function noteFailure(
    identifier: string,
    error: string,
    freshKey: boolean,
    now: string,
  ): Promise<void> {
    await change(identifier, ['sending'], {
      now,
      what: `attempt failed: ${error}`,
      set: { error, freshKey },
    });
  }

  /** Of a record that takes several meter events: the first `eventsSent` have arrived; false when it is settled. */
  async function noteEvent(
    identifier: string,
    eventsSent: number,
    what: string,
    now: string,
  ): Promise<boolean> {
    const step = { now, what, set: { eventsSent } };
    return (await change(identifier, ['pending', 'sending'], step)) !== undefined;
  }

  /** Put off to `nextAttemptAt` after a round of retries. */
  async function defer(
    identifier: string,
    nextAttemptAt: string,
    error: string,
    now: string,
  ): Promise<UsageRecord | undefined> {
    return await change(identifier, ['pending', 'sending'], {
      now,
      what: `put off to ${nextAttemptAt}: ${error}`,
      set: { state: 'pending', nextAttemptAt, error },
      count: 'rounds',
    });
  }

  /** Laid aside for a person: `rejected` when it can never be sent, `parked` when retries ran out. */
  async function layAside(
    identifier: string,
    state: 'rejected' | 'parked',
    error: string,
    now: string,
  ): Promise<UsageRecord | undefined> {
    return await change(identifier, ['pending', 'sending'], {
      now,
      what: `${state}: ${error}`,
      set: { state, error },
      remove: ['deliveryShard', 'nextAttemptAt'],
    });
  }

  /** Stripe had taken it, and refused it afterwards: `delivered` → `rejected`. */
  async function refuseLater(
    identifier: string,
    error: string,
    now: string,
  ): Promise<UsageRecord | undefined> {
    const set = { state: 'rejected', error };
    return await change(identifier, ['delivered'], { now, what: `rejected: ${error}`, set });
  }

  /** A redrive: what was laid aside waits for delivery again. */
  async function requeue(record: UsageRecord, now: string): Promise<UsageRecord | undefined> {
    const shard = deliveryShard(record.customerId, record.meter);
    return await change(record.identifier, ['rejected', 'parked'], {
      now,
      what: 'redriven',
      set: {
        state: 'pending',
        deliveryShard: shard,
        nextAttemptAt: now,
        retryingSince: now,
        // Stripe replays the answer it saved under the old key, a refusal as well.
        freshKey: true,
        rounds: 0,
      },
    });
  }

  return {
    get,
    record,
    claim,
    confirm,
    noteFailure,
    noteEvent,
    defer,
    layAside,
    refuseLater,
    requeue,
    ...createUsageQueries(store),
  };
}
