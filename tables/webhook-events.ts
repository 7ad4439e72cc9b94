/** The inbox: every event that was answered with 200 is here (I5), and what became of it. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { BatchGetCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { effectOf } from '../domain/stripe-events.ts';
import type { StripeEventFacts } from '../domain/stripe-events.ts';
import { conditionHeld, queryIndex, updateIf } from './dynamo.ts';
import type { Row, TableStore } from './dynamo.ts';
import { readRow, rowName, tryRow, UnreadableRow } from './read-rows.ts';
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
  /** Only while it is received: where the sweep finds it, and when it is to be told again. */
  waitingShard: z.number().int().exactOptional(),
  tellAt: z.string().exactOptional(),
  /** From when it was applied or ignored, never before: what waits is not to be forgotten (WH2). */
  ttl: z.number().int().exactOptional(),
});
export type InboxEvent = z.infer<typeof rowSchema>;

/** DynamoDB's items end at 400 KB: an event that stays larger is kept without its content. */
const mostPayloadBytes = 350_000;
/** An answer holds 16 MB. */
const mostRead = 40;
const ninetyDaysSeconds = 90 * 86_400;

/** An event has a megabyte at most; what unpacks to more was not packed by us. */
const mostUnpackedBytes = 16 * 1024 * 1024;

/** An event as it came; throws when it cannot be read. */
export function unpackEvent(payload: Uint8Array): unknown {
  const text = gunzipSync(payload, { maxOutputLength: mostUnpackedBytes }).toString('utf8');
  return JSON.parse(text) as unknown;
}

const waitingSchema = rowSchema.pick({
  eventId: true,
  type: true,
  objectId: true,
  customerId: true,
  receivedAt: true,
});
/** What the sparse index knows of an event that nobody has applied. */
export type WaitingEvent = z.infer<typeof waitingSchema>;

export interface UnreadableEvent {
  eventId: string;
  problem: string;
}

/** So many partitions share what waits; how many there are matters to nobody else. */
const waitingShards = 8;

/** WH2: whoever took it in tells its line within this time, or the sweep does. */
const untoldMs = 30_000;

export type WebhookEvents = ReturnType<typeof createWebhookEvents>;

export function createWebhookEvents(store: TableStore) {
  const { db, prefix, now } = store;
  const TableName = `${prefix}${tableSchemas.webhookEvents.name}`;

  function expiry(): number {
    return Math.floor(now().getTime() / 1000) + ninetyDaysSeconds;
  }

  async function get(eventId: string): Promise<InboxEvent | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { eventId }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : standing(Item);
  }

  function standing(item: Row): InboxEvent | undefined {
    const row = readRow(rowSchema, item, rowName('webhookEvents', item));
    const isOver = row.ttl !== undefined && row.ttl <= now().getTime() / 1000;
    return isOver ? undefined : row;
  }

  /** Events by their ids, read in few calls, and each as it stood at the call: what is not there, or
   * cannot be read, is left out. */
  async function getAll(eventIds: readonly string[]): Promise<Map<string, InboxEvent>> {
    const found = new Map<string, InboxEvent>();
    let left: Row[] = [...new Set(eventIds)].map((eventId) => ({ eventId }));
    while (left.length > 0) {
      const asked = left.slice(0, mostRead);
      const request = { [TableName]: { Keys: asked, ConsistentRead: true } };
      const answer = await db.send(new BatchGetCommand({ RequestItems: request }));
      const rows = answer.Responses?.[TableName] ?? [];
      const unread = answer.UnprocessedKeys?.[TableName]?.Keys ?? [];
      for (const item of rows) {
        if (tryRow(rowSchema, item, '') instanceof UnreadableRow) continue;
        const row = standing(item);
        if (row !== undefined) found.set(row.eventId, row);
      }
      left = [...unread, ...left.slice(mostRead)];
    }
    return found;
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
      ...(status === 'received' ? waitingFrom(facts.eventId, receivedAt) : { ttl: expiry() }),
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
   * `received` or `dead` → `applied`, `dead` or `ignored`. Returns what it was; undefined, and nothing
   * changes, when it was applied before, for that is for good, or is not there.
   */
  async function settle(
    eventId: string,
    status: 'applied' | 'dead' | 'ignored',
    error?: string,
  ): Promise<InboxEvent['status'] | undefined> {
    const set = ['#status = :status', 'settledAt = :at'];
    const remove = ['waitingShard', 'tellAt'];
    // A dead one waits for a person.
    if (status === 'dead') remove.push('#ttl');
    else set.push('#ttl = :ttl');
    if (error === undefined) remove.push('#error');
    else set.push('#error = :error');
    const was = await updateIf(store, {
      TableName,
      Key: { eventId },
      UpdateExpression: `SET ${set.join(', ')} REMOVE ${remove.join(', ')}`,
      ConditionExpression: 'attribute_exists(eventId) AND #status <> :applied',
      ExpressionAttributeNames: { '#status': 'status', '#error': 'error', '#ttl': 'ttl' },
      ExpressionAttributeValues: {
        ':status': status,
        ':at': now().toISOString(),
        ':applied': 'applied',
        ...(status === 'dead' ? {} : { ':ttl': expiry() }),
        ...(error === undefined ? {} : { ':error': error }),
      },
      ReturnValues: 'UPDATED_OLD',
    });
    if (was === undefined) return undefined;
    // Of a row that cannot be read, somebody believed it to wait.
    return rowSchema.shape.status.safeParse(was['status']).data ?? 'received';
  }

  /**
   * Received and not settled, to be told by `until` (all of them without it), in no order; all pages. One that
   * cannot be read is there with the reason: the caller lays it aside.
   */
  async function* waiting(until?: Date): AsyncGenerator<WaitingEvent | UnreadableEvent> {
    const due = until === undefined ? {} : { ':until': until.toISOString() };
    for (let shard = 0; shard < waitingShards; shard += 1) {
      const rows = queryIndex(store, 'webhookEvents', 'waitingShard-tellAt-index', {
        KeyConditionExpression:
          'waitingShard = :shard' + (until === undefined ? '' : ' AND tellAt <= :until'),
        ExpressionAttributeValues: { ':shard': shard, ...due },
      });
      for await (const row of rows) {
        const read = tryRow(waitingSchema, row, rowName('webhookEvents', row));
        if (!(read instanceof UnreadableRow)) yield read;
        else yield { eventId: String(row['eventId']), problem: read.message };
      }
    }
  }

  /** After a line was told: when it is to be told again, if the event is not settled until then. */
  async function noteTold(eventId: string, tellAt: Date): Promise<boolean> {
    const noted = await updateIf(store, {
      TableName,
      Key: { eventId },
      UpdateExpression: 'SET tellAt = :at, waitingShard = :shard',
      ConditionExpression: '#status = :received',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: {
        ':at': tellAt.toISOString(),
        ':shard': shardOf(eventId),
        ':received': 'received',
      },
      // Not the event's content.
      ReturnValues: 'NONE',
    });
    return noted !== undefined;
  }

  return { get, getAll, put, takeIn, settle, waiting, noteTold };
}

function waitingFrom(eventId: string, receivedAt: Date) {
  const tellAt = new Date(receivedAt.getTime() + untoldMs).toISOString();
  return { waitingShard: shardOf(eventId), tellAt };
}

function shardOf(eventId: string): number {
  let sum = 0;
  for (const character of eventId) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
  return sum % waitingShards;
}
