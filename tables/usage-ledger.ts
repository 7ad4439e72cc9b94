/**
 * The usage ledger: the truth about usage, of which Stripe gets a copy. A row is written once and
 * changes in nothing but its delivery (DL1); every change of state is conditional on the state before.
 */
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { BillingError } from '../domain/errors.ts';
import { deliveryShard } from '../domain/ids.ts';
import { laterEventOf, meterEventsOf } from '../domain/meter-events.ts';
import { conflictingFacts, needsDelivery, parseQuantity } from '../domain/usage.ts';
import type { Usage, UsageRecord } from '../domain/usage.ts';
import { conditionHeld } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { tableSchemas } from './schema.ts';
import { createUsageChanges } from './usage-change.ts';
import { createUsageQueries } from './usage-queries.ts';
import { createUsageSending } from './usage-sending.ts';
import { createUsageVerdicts } from './usage-verdicts.ts';

export type UsageLedger = ReturnType<typeof createUsageLedger>;

export function createUsageLedger(store: TableStore) {
  const { db, prefix } = store;
  const TableName = `${prefix}${tableSchemas.usageLedger.name}`;
  const changes = createUsageChanges(store);
  const { get, has, layAsideUnreadable } = changes;

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

  return {
    get,
    has,
    record,
    layAsideUnreadable,
    ...createUsageSending(changes),
    ...createUsageVerdicts(changes),
    ...createUsageQueries(store),
  };
}
