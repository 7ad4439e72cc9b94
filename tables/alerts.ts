/**
 * Alerts that are to be sent, and those that were lately (GA16). To keep one under its id is what makes it
 * one for a kind, a customer and five minutes.
 */
import { GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { alertKinds } from '../domain/alerts.ts';
import type { Alert, AlertKind } from '../domain/alerts.ts';
import { allRows, conditionHeld, pageSize, queryIndex, updateIf } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { readableRows } from './read-rows.ts';
import { tableSchemas } from './schema.ts';

const rowSchema = z.object({
  line: z.string(),
  alertId: z.string(),
  kind: z.enum(Object.keys(alertKinds) as [AlertKind, ...AlertKind[]]),
  facts: z.record(z.string(), z.union([z.string(), z.number()])),
  raisedAt: z.string(),
  status: z.enum(['waiting', 'sent', 'exhausted']),
  settledAt: z.string().exactOptional(),
  /** Why it was given up. */
  error: z.string().exactOptional(),
  /** From when it was settled, never before: what waits is not to be forgotten. */
  ttl: z.number().int().exactOptional(),
});
type AlertRow = z.infer<typeof rowSchema>;

const placeSchema = rowSchema.pick({ line: true, alertId: true });
type AlertPlace = z.infer<typeof placeSchema>;

/** A week: long enough to ask what was sent, short enough that a line stays quick to read. */
const settledForSeconds = 7 * 86_400;

export type AlertTable = ReturnType<typeof createAlertTable>;

export function createAlertTable(store: TableStore) {
  const { db, prefix, now } = store;
  const TableName = `${prefix}${tableSchemas.alerts.name}`;

  async function get({ line, alertId }: AlertPlace): Promise<AlertRow | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { line, alertId }, ConsistentRead: true }),
    );
    const row = Item === undefined ? undefined : rowSchema.parse(Item);
    const isOver = row?.ttl !== undefined && row.ttl <= now().getTime() / 1000;
    return isOver ? undefined : row;
  }

  /** Keeps an alert once; `false` when one of its kind is there for that customer and that time. */
  async function put(alert: Alert): Promise<boolean> {
    const row: AlertRow = { ...alert, status: 'waiting' };
    const command = new PutCommand({
      TableName,
      Item: { ...row, waiting: 'yes' },
      ConditionExpression: 'attribute_not_exists(alertId)',
    });
    return await conditionHeld(db.send(command));
  }

  /** The one of a line that waits longest, as the table itself has it: its order does not rest on an index. */
  async function first(line: string): Promise<AlertRow | undefined> {
    const rows = allRows(
      async (ExclusiveStartKey) =>
        await db.send(
          new QueryCommand({
            TableName,
            ConsistentRead: true,
            Limit: pageSize,
            KeyConditionExpression: 'line = :line',
            FilterExpression: '#status = :waiting',
            ExpressionAttributeNames: { '#status': 'status' },
            ExpressionAttributeValues: { ':line': line, ':waiting': 'waiting' },
            ExclusiveStartKey,
          }),
        ),
    );
    let found: AlertRow | undefined;
    for await (const alert of readableRows(store, 'alerts', rowSchema, rows)) {
      if (found === undefined || alert.raisedAt < found.raisedAt) found = alert;
    }
    return found;
  }

  /** `waiting` → `sent` or `exhausted`; `false` when it was settled before. */
  async function settle(
    { line, alertId }: AlertPlace,
    to: { status: 'sent' } | { status: 'exhausted'; error: string },
  ): Promise<boolean> {
    const error = to.status === 'sent' ? {} : { ':error': to.error };
    const settled = await updateIf(store, {
      TableName,
      Key: { line, alertId },
      UpdateExpression:
        'SET #status = :status, settledAt = :at, #ttl = :ttl' +
        (to.status === 'sent' ? '' : ', #error = :error') +
        ' REMOVE waiting',
      ConditionExpression: '#status = :waiting',
      ExpressionAttributeNames: {
        '#status': 'status',
        '#ttl': 'ttl',
        ...(to.status === 'sent' ? {} : { '#error': 'error' }),
      },
      ExpressionAttributeValues: {
        ':status': to.status,
        ':waiting': 'waiting',
        ':at': now().toISOString(),
        ':ttl': Math.floor(now().getTime() / 1000) + settledForSeconds,
        ...error,
      },
    });
    return settled !== undefined;
  }

  /** Lines that hold an alert which waits and was raised by then, each once; all pages of a lagging index. */
  async function linesWaiting(until: Date): Promise<string[]> {
    const lines = new Set<string>();
    const rows = queryIndex(store, 'alerts', 'waiting-raisedAt-index', {
      KeyConditionExpression: 'waiting = :yes AND raisedAt <= :until',
      ExpressionAttributeValues: { ':yes': 'yes', ':until': until.toISOString() },
    });
    for await (const { line } of readableRows(store, 'alerts', placeSchema, rows)) lines.add(line);
    return [...lines];
  }

  return { get, put, first, settle, linesWaiting };
}
