/** The inbox: every event that was answered with 200 is here (I5), and what became of it. */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { gunzipSync, gzipSync } from 'node:zlib';
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { effectOf } from '../domain/stripe-events.ts';
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

/** An event has a megabyte at most; what unpacks to more was not packed by us. */
const mostUnpackedBytes = 16 * 1024 * 1024;

/** An event as it came; throws when it cannot be read. */
export function unpackEvent(payload: Uint8Array): unknown {
  const text = gunzipSync(payload, { maxOutputLength: mostUnpackedBytes }).toString('utf8');
  return JSON.parse(text) as unknown;
}

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

  /** Keeps an event as it came. `waits`: its line must be told of it, at its first coming or not. */
  async function takeIn(
    facts: StripeEventFacts,
    event: unknown,
  ): Promise<{ isNew: boolean; waits: boolean }> {
    const status = effectOf(facts.type) === 'ignored' ? 'ignored' : 'received';
    const isNew = await put(facts, status, gzipSync(JSON.stringify(event)));
    const stands = isNew ? status : (await get(facts.eventId))?.status;
    return { isNew, waits: stands === 'received' };
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

  return { get, put, takeIn, settle };
}
