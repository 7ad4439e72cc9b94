/** Work laid aside for a person (DL9). A row is kept for good: redriven and discarded ones as well. */
import { GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { deadLetterKinds } from '../domain/dead-letters.ts';
import type { DeadLetter, DeadLetterKind } from '../domain/dead-letters.ts';
import { allRows, conditionHeld, pageSize } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { tableSchemas } from './schema.ts';

const rowSchema = z.object({
  id: z.string(),
  kind: z.enum(deadLetterKinds),
  subject: z.string(),
  customerId: z.string(),
  error: z.string(),
  attempts: z.number().int(),
  status: z.enum(['open', 'redriven', 'discarded']),
  createdAt: z.string(),
  updatedAt: z.string(),
  discardReason: z.string().exactOptional(),
  record: z.record(z.string(), z.unknown()),
});

export type DeadLetters = ReturnType<typeof createDeadLetters>;

export function createDeadLetters({ db, prefix }: TableStore) {
  const TableName = `${prefix}${tableSchemas.deadLetters.name}`;

  async function get(id: string): Promise<DeadLetter | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { id }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : rowSchema.parse(Item);
  }

  /** Lays work aside, `open`. The same work again after a redrive opens its row again. */
  async function open(
    letter: Omit<DeadLetter, 'status' | 'createdAt' | 'updatedAt' | 'discardReason'>,
    now: string,
  ): Promise<void> {
    const earlier = await get(letter.id);
    const Item: DeadLetter = {
      ...letter,
      status: 'open',
      createdAt: earlier?.createdAt ?? now,
      updatedAt: now,
    };
    await db.send(new PutCommand({ TableName, Item }));
  }

  /**
   * `open` → `redriven` or `discarded`; `false` when it is not open, or was opened anew since it was
   * read: `readAs` is the letter's `updatedAt` at that time.
   */
  async function close(
    id: string,
    to: { status: 'redriven' } | { status: 'discarded'; reason: string },
    now: string,
    readAs?: string,
  ): Promise<boolean> {
    const reason = to.status === 'discarded' ? { ':reason': to.reason } : {};
    const read = readAs === undefined ? {} : { ':read': readAs };
    const command = new UpdateCommand({
      TableName,
      Key: { id },
      UpdateExpression:
        'SET #status = :status, updatedAt = :now' +
        (to.status === 'discarded' ? ', discardReason = :reason' : ''),
      ConditionExpression:
        '#status = :open' + (readAs === undefined ? '' : ' AND updatedAt = :read'),
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: {
        ':status': to.status,
        ':open': 'open',
        ':now': now,
        ...reason,
        ...read,
      },
    });
    return await conditionHeld(db.send(command));
  }

  /** All of one kind, or of every kind, oldest first within a kind; all pages. */
  async function* list(kind: DeadLetterKind | undefined): AsyncGenerator<DeadLetter> {
    for (const wanted of kind === undefined ? deadLetterKinds : [kind]) {
      const rows = allRows(
        async (startKey) =>
          await db.send(
            new QueryCommand({
              TableName,
              IndexName: 'kind-createdAt-index',
              KeyConditionExpression: 'kind = :kind',
              ExpressionAttributeValues: { ':kind': wanted },
              Limit: pageSize,
              ExclusiveStartKey: startKey,
            }),
          ),
      );
      for await (const row of rows) yield rowSchema.parse(row);
    }
  }

  return { get, open, close, list };
}
