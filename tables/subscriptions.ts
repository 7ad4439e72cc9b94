/** A mirror of Stripe's subscriptions, and what changed in them, event by event. */
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { SubscriptionChange } from '../domain/subscription.ts';
import { queryIndex } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { addToHistory, storeTruth } from './mirror.ts';
import { readableRows } from './read-rows.ts';
import { tableSchemas } from './schema.ts';

const truthSchema = z.object({
  subscriptionId: z.string(),
  customerId: z.string(),
  status: z.string(),
  prices: z.array(z.string()),
  cancelAtPeriodEnd: z.boolean(),
  paused: z.boolean(),
  /** ISO 8601 UTC, as all times here. */
  stripeCreated: z.string(),
  cancelAt: z.string().optional(),
  canceledAt: z.string().optional(),
  endedAt: z.string().optional(),
  currentPeriodStart: z.string().optional(),
  currentPeriodEnd: z.string().optional(),
});
/** What Stripe said of a subscription. */
export type SubscriptionTruth = z.infer<typeof truthSchema>;

const rowSchema = truthSchema.extend({
  /** How often Stripe's word was stored. */
  revision: z.number().int(),
  history: z
    .record(
      z.string(),
      z.object({
        at: z.string(),
        changes: z.array(z.object({ kind: z.string() }).catchall(z.unknown())),
      }),
    )
    .default({}),
});
export type SubscriptionRow = z.infer<typeof rowSchema>;

export type Subscriptions = ReturnType<typeof createSubscriptions>;

export function createSubscriptions(store: TableStore) {
  const { db } = store;
  const TableName = `${store.prefix}${tableSchemas.subscriptions.name}`;

  async function get(subscriptionId: string): Promise<SubscriptionRow | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { subscriptionId }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : rowSchema.parse(Item);
  }

  /**
   * Stores what Stripe said, if the row is as it was read before Stripe was asked (`revision`, 0 when there
   * was none): returns the row as it stands then, or undefined when someone else was quicker.
   */
  async function mirror(
    truth: SubscriptionTruth,
    revision: number,
  ): Promise<SubscriptionRow | undefined> {
    const { subscriptionId, ...facts } = truth;
    const item = await storeTruth(store, TableName, { subscriptionId }, facts, revision);
    return item === undefined ? undefined : rowSchema.parse(item);
  }

  /**
   * Adds what an event told of to a mirrored row, and returns the row: the newest 100 stay. `row` is as it
   * was read last, if it was.
   */
  async function addChanges(
    subscriptionId: string,
    eventId: string,
    entry: { at: string; changes: SubscriptionChange[] },
    row?: SubscriptionRow,
  ): Promise<{ row: SubscriptionRow; removed: string[] }> {
    const key = { subscriptionId };
    const added = await addToHistory(store, TableName, key, eventId, entry, row);
    return { row: rowSchema.parse(added.row), removed: added.removed };
  }

  /** Whole rows, the oldest first. */
  async function ofCustomer(customerId: string): Promise<SubscriptionRow[]> {
    const found: SubscriptionRow[] = [];
    const rows = queryIndex(store, 'subscriptions', 'customerId-index', {
      KeyConditionExpression: 'customerId = :customer',
      ExpressionAttributeValues: { ':customer': customerId },
    });
    for await (const row of readableRows(store, 'subscriptions', rowSchema, rows)) found.push(row);
    return found;
  }

  return { get, mirror, addChanges, ofCustomer };
}
