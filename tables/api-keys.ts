/** Keys of the guarded API, by their SHA-256: a key itself is nowhere (GA6). */
import { DeleteCommand, GetCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { apiKeyScopes, isApiKeyInForce } from '../domain/api-keys.ts';
import type { ApiKey } from '../domain/api-keys.ts';
import { allRows, conditionHeld, pageSize, queryIndex, updateIf } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { readableRows } from './read-rows.ts';
import { tableSchemas } from './schema.ts';
import { shareReads } from './share-reads.ts';

const rowSchema = z.object({
  keyHash: z.string(),
  prefix: z.string(),
  customerId: z.string(),
  name: z.string().exactOptional(),
  scope: z.enum(apiKeyScopes),
  createdAt: z.string(),
  lastUsedAt: z.string().exactOptional(),
  endsAt: z.string().exactOptional(),
});

/** A rotated key that has ended is kept this long for whoever asks what it was. */
const keptAfterEndSeconds = 30 * 86_400;

export type ApiKeys = ReturnType<typeof createApiKeys>;

export function createApiKeys(store: TableStore) {
  const { db, prefix, now } = store;
  const TableName = `${prefix}${tableSchemas.apiKeys.name}`;

  const getShared = shareReads(async (keyHash) => {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { keyHash }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : rowSchema.parse(Item);
  });

  /** The key in force with that hash. Read consistently: a deleted key stops at once. */
  async function find(keyHash: string): Promise<ApiKey | undefined> {
    const key = await getShared(keyHash);
    return key !== undefined && isApiKeyInForce(key, now()) ? key : undefined;
  }

  /** `false` when there is one with that hash already (and then changes nothing). */
  async function add(key: ApiKey): Promise<boolean> {
    const put = new PutCommand({
      TableName,
      Item: key,
      ConditionExpression: 'attribute_not_exists(keyHash)',
    });
    return await conditionHeld(db.send(put));
  }

  /** A customer's keys in force, the oldest first, all pages. */
  async function listOf(customerId: string): Promise<ApiKey[]> {
    const rows = queryIndex(store, 'apiKeys', 'customerId-index', {
      KeyConditionExpression: 'customerId = :customerId',
      ExpressionAttributeValues: { ':customerId': customerId },
    });
    const keys: ApiKey[] = [];
    for await (const key of readableRows(store, 'apiKeys', rowSchema, rows)) {
      if (isApiKeyInForce(key, now())) keys.push(key);
    }
    return keys;
  }

  /** Every key in force, all pages, in no order. */
  async function* list(): AsyncGenerator<ApiKey> {
    const rows = allRows(
      async (startKey) =>
        await db.send(new ScanCommand({ TableName, Limit: pageSize, ExclusiveStartKey: startKey })),
    );
    for await (const key of readableRows(store, 'apiKeys', rowSchema, rows)) {
      if (isApiKeyInForce(key, now())) yield key;
    }
  }

  /** `false` when it was gone already. */
  async function remove(keyHash: string): Promise<boolean> {
    const command = new DeleteCommand({
      TableName,
      Key: { keyHash },
      ConditionExpression: 'attribute_exists(keyHash)',
    });
    return await conditionHeld(db.send(command));
  }

  /** Lets a key end at `endsAt`; one that ends sooner is left alone. `false` when it does, or is gone. */
  async function endAt(keyHash: string, endsAt: string): Promise<boolean> {
    const row = await updateIf(store, {
      TableName,
      Key: { keyHash },
      UpdateExpression: 'SET endsAt = :endsAt, #ttl = :ttl',
      ConditionExpression:
        'attribute_exists(keyHash) AND (attribute_not_exists(endsAt) OR endsAt > :endsAt)',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: {
        ':endsAt': endsAt,
        ':ttl': Math.floor(Date.parse(endsAt) / 1000) + keptAfterEndSeconds,
      },
    });
    return row !== undefined;
  }

  /** Writes down when it was last used; a key that was deleted meanwhile does not come back. */
  async function touch(keyHash: string, lastUsedAt: string): Promise<void> {
    await updateIf(store, {
      TableName,
      Key: { keyHash },
      UpdateExpression: 'SET lastUsedAt = :lastUsedAt',
      ConditionExpression: 'attribute_exists(keyHash)',
      ExpressionAttributeValues: { ':lastUsedAt': lastUsedAt },
    });
  }

  return { find, add, listOf, list, remove, endAt, touch };
}
