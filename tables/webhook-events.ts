/** The inbox: every event that was answered with 200 is here (I5), and what became of it. */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { StripeEventFacts } from '../domain/stripe-events.ts';
import { conditionHeld } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { tableSchemas } from './schema.ts';

const rowSchema = z.object({
  eventId: z.string(),
  type: z.string(),
  createdAt: z.string(),
  livemode: z.boolean(),
  thin: z.boolean(),
  objectId: z.string().exactOptional(),
  customerId: z.string().exactOptional(),
  status: z.enum(['received', 'applied', 'ignored', 'dead']),
  receivedAt: z.string(),
  settledAt: z.string().exactOptional(),
  error: z.string().exactOptional(),
  /** The event as it came, compressed: an item holds 400 KB, an event may have a megabyte. */
  payload: z.custom<Uint8Array>((value) => value instanceof Uint8Array).exactOptional(),
  ttl: z.number().int(),
});
export type InboxEvent = z.infer<typeof rowSchema>;

/** DynamoDB's items end at 400 KB: an event that stays larger is kept without its content. */
const mostPayloadBytes = 350_000;
const ninetyDaysSeconds = 90 * 86_400;

export type WebhookEvents = ReturnType<typeof createWebhookEvents>;

export function createWebhookEvents({ db, prefix, now }: TableStore) {
  const TableName = `${prefix}${tableSchemas.webhookEvents.name}`;

  async function get(eventId: string): Promise<InboxEvent | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { eventId }, ConsistentRead: true }),
    );
    const row = Item === undefined ? undefined : rowSchema.parse(Item);
    return row !== undefined && row.ttl > now().getTime() / 1000 ? row : undefined;
  }

  /** Keeps an event once; `false` when it was here before. */
  async function put(
    facts: StripeEventFacts,
    status: 'received' | 'ignored',
    payload: Uint8Array | undefined,
  ): Promise<boolean> {
    const receivedAt = now();
    const row: InboxEvent = {
      ...facts,
      status,
      receivedAt: receivedAt.toISOString(),
      ttl: Math.floor(receivedAt.getTime() / 1000) + ninetyDaysSeconds,
      ...(payload === undefined || payload.length > mostPayloadBytes ? {} : { payload }),
    };
    const command = new PutCommand({
      TableName,
      Item: row,
      ConditionExpression: 'attribute_not_exists(eventId)',
    });
    return await conditionHeld(db.send(command));
  }

  /**
   * `received` or `dead` → `applied` or `dead`. Returns what it was; undefined, and nothing changes, when
   * it was applied before, for that is for good, or is not there.
   */
  async function settle(
    eventId: string,
    status: 'applied' | 'dead',
    error?: string,
  ): Promise<InboxEvent['status'] | undefined> {
    const values = { ':status': status, ':at': now().toISOString(), ':applied': 'applied' };
    const command = new UpdateCommand({
      TableName,
      Key: { eventId },
      UpdateExpression:
        error === undefined
          ? 'SET #status = :status, settledAt = :at REMOVE #error'
          : 'SET #status = :status, settledAt = :at, #error = :error',
      ConditionExpression: 'attribute_exists(eventId) AND #status <> :applied',
      ExpressionAttributeNames: { '#status': 'status', '#error': 'error' },
      ExpressionAttributeValues: error === undefined ? values : { ...values, ':error': error },
      ReturnValues: 'UPDATED_OLD',
    });
    try {
      const { Attributes } = await db.send(command);
      return rowSchema.pick({ status: true }).parse(Attributes).status;
    } catch (failure) {
      if (failure instanceof ConditionalCheckFailedException) return undefined;
      throw failure;
    }
  }

  return { get, put, settle };
}
