/** Rows that mirror an object of Stripe: what it said last, and a history by event id. */
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { conditionHeld } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';

type Key = Record<string, string>;

/**
 * Stores what Stripe said at `fetchedAt` (ISO 8601): values that are undefined are taken away. `false`
 * when something newer stands there: an older answer never overwrites it (WH4).
 */
export async function storeTruth(
  { db }: TableStore,
  TableName: string,
  key: Key,
  facts: Record<string, unknown>,
  fetchedAt: string,
): Promise<boolean> {
  const row: Record<string, unknown> = { ...facts, fetchedAt };
  const all = Object.entries(row);
  const set = all.filter(([, value]) => value !== undefined);
  const gone = all.filter(([, value]) => value === undefined);
  const removal = gone.map(([name]) => `#${name}`).join(', ');
  const command = new UpdateCommand({
    TableName,
    Key: key,
    UpdateExpression:
      `SET ${set.map(([name]) => `#${name} = :${name}`).join(', ')}` +
      (gone.length === 0 ? '' : ` REMOVE ${removal}`),
    ConditionExpression: 'attribute_not_exists(fetchedAt) OR fetchedAt <= :fetchedAt',
    ExpressionAttributeNames: Object.fromEntries(all.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])),
  });
  return await conditionHeld(db.send(command));
}

/** Adds an entry to the row's `history`; the same event again changes nothing. */
export async function addToHistory(
  { db }: TableStore,
  TableName: string,
  key: Key,
  eventId: string,
  entry: unknown,
): Promise<void> {
  const begin = new UpdateCommand({
    TableName,
    Key: key,
    UpdateExpression: 'SET history = if_not_exists(history, :none)',
    ExpressionAttributeValues: { ':none': {} },
  });
  await db.send(begin);
  const add = new UpdateCommand({
    TableName,
    Key: key,
    UpdateExpression: 'SET history.#event = if_not_exists(history.#event, :entry)',
    ExpressionAttributeNames: { '#event': eventId },
    ExpressionAttributeValues: { ':entry': entry },
  });
  await db.send(add);
}
