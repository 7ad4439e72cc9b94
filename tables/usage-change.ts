/** How a row of the usage ledger is read and changed: one conditional update, whatever its life has come to. */
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { mostLines } from '../domain/life.ts';
import type { DeliveryState, UsageRecord } from '../domain/usage.ts';
import { updateIf } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { readRow } from './read-rows.ts';
import { tableSchemas } from './schema.ts';
import { rowSchema } from './usage-row.ts';
import { rewriting, transition } from './usage-transition.ts';
import type { ConditionalUpdate, Step } from './usage-transition.ts';

export const undelivered: readonly DeliveryState[] = ['pending', 'sending'];
export const laidAside: readonly DeliveryState[] = ['rejected', 'parked'];

/** One sender and now and then a person or a report change a row: this is never reached. */
const mostTries = 5;

const read = (row: unknown, identifier: string): UsageRecord =>
  readRow(rowSchema, row, `usage-ledger/${identifier}`);

export type UsageChanges = ReturnType<typeof createUsageChanges>;

export function createUsageChanges(store: TableStore) {
  const TableName = `${store.prefix}${tableSchemas.usageLedger.name}`;

  async function get(identifier: string): Promise<UsageRecord | undefined> {
    const { Item } = await store.db.send(
      new GetCommand({ TableName, Key: { identifier }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : read(Item, identifier);
  }

  /** Whether there is one, be it readable or not. */
  async function has(identifier: string): Promise<boolean> {
    const { Item } = await store.db.send(
      new GetCommand({ TableName, Key: { identifier }, ConsistentRead: true }),
    );
    return Item !== undefined;
  }

  /** Runs one update; the row after it, or undefined when its condition did not hold. */
  async function update(input: ConditionalUpdate): Promise<UsageRecord | undefined> {
    const row = await updateIf(store, { TableName, ...input });
    return row === undefined ? undefined : read(row, String(input.Key?.['identifier']));
  }

  /**
   * Changes the delivery of a record that is in one of the states `from`; undefined when it is not. A row
   * whose life is full is read and written with a shorter one (DL12).
   */
  async function change(
    identifier: string,
    from: readonly DeliveryState[],
    step: Step,
  ): Promise<UsageRecord | undefined> {
    let row: UsageRecord | undefined;
    for (let tries = 0; tries < mostTries; tries += 1) {
      const changed = await update(
        row === undefined || row.life.length < mostLines
          ? transition(identifier, from, step)
          : rewriting(row, from, step),
      );
      if (changed !== undefined) return changed;
      row = await get(identifier);
      if (row === undefined || !from.includes(row.state) || !isStill(row, step.as))
        return undefined;
    }
    throw new Error(`usage record ${identifier} changes too often`);
  }

  /**
   * One that cannot be read waits for nobody any more (SB19): out of its shard, and `rejected` once it can be
   * read. What else it holds stays, for whoever mends it.
   */
  async function layAsideUnreadable(identifier: string, error: string): Promise<void> {
    await updateIf(store, {
      TableName,
      Key: { identifier },
      UpdateExpression: 'SET #state = :state, #error = :error REMOVE deliveryShard, nextAttemptAt',
      ConditionExpression: 'attribute_exists(deliveryShard)',
      ExpressionAttributeNames: { '#state': 'state', '#error': 'error' },
      ExpressionAttributeValues: { ':state': 'rejected', ':error': error.slice(0, 1000) },
      ReturnValues: 'NONE',
    });
  }

  return { get, has, update, change, layAsideUnreadable };
}

function isStill(row: UsageRecord, as: UsageRecord | undefined): boolean {
  return as === undefined || (row.attempts === as.attempts && refused(row) === refused(as));
}

function refused({ refusals = {} }: UsageRecord): number {
  return Object.values(refusals).reduce((sum, times) => sum + times, 0);
}
