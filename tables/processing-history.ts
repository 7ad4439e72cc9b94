/**
 * Runs over a customer's files. A run's row carries its state; what became of its files stands in
 * rows of their own, `<processingId>/files/<chunk>`, since 10,000 results do not fit in one item.
 */
import { GetCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { FileResult } from '../domain/processing.ts';
import {
  allRows,
  conditionHeld,
  pageSize,
  queryIndex,
  queryIndexPage,
  updateIf,
} from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { readable, readableRows, readRow } from './read-rows.ts';
import { tableSchemas } from './schema.ts';

const rowSchema = z.object({
  processingId: z.string(),
  customerId: z.string(),
  status: z.enum(['in_progress', 'completed', 'failed']),
  fileCount: z.number().int(),
  /** SHA-256 of the ordered list of files: the same id must mean the same job. */
  filesDigest: z.string(),
  totalBytes: z.number().int().exactOptional(),
  /** Of a cast: what was set aside for it, and once it completed what it cost. */
  reservedCents: z.number().int().exactOptional(),
  /** Of the reservation that pays for it. */
  castToken: z.string().exactOptional(),
  costCents: z.number().int().exactOptional(),
  createdAt: z.string(),
  completedAt: z.string().exactOptional(),
  failedAt: z.string().exactOptional(),
  updatedAt: z.string(),
  errorMessage: z.string().exactOptional(),
});
export type Processing = z.infer<typeof rowSchema>;

const placeSchema = rowSchema.pick({ processingId: true, createdAt: true });

const resultsSchema = z.object({
  results: z.array(
    z.object({
      key: z.string(),
      bytes: z.number().int(),
      outputKey: z.string(),
      sha256: z.string(),
    }),
  ),
});

export type ProcessingHistory = ReturnType<typeof createProcessingHistory>;

export function createProcessingHistory(store: TableStore) {
  const { db, prefix } = store;
  const TableName = `${prefix}${tableSchemas.processingHistory.name}`;
  const chunkKey = (processingId: string, chunk: number) => ({
    processingId: `${processingId}/files/${String(chunk).padStart(3, '0')}`,
  });

  async function get(processingId: string): Promise<Processing | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { processingId }, ConsistentRead: true }),
    );
    return Item === undefined
      ? undefined
      : readRow(rowSchema, Item, `processing-history/${processingId}`);
  }

  /** Writes the row `in_progress` once and answers with the row that is there, old or new. */
  async function begin(
    job: Pick<
      Processing,
      'processingId' | 'customerId' | 'fileCount' | 'filesDigest' | 'reservedCents' | 'castToken'
    >,
    now: string,
  ): Promise<Processing> {
    const row: Processing = { ...job, status: 'in_progress', createdAt: now, updatedAt: now };
    const put = new PutCommand({
      TableName,
      Item: row,
      ConditionExpression: 'attribute_not_exists(processingId)',
    });
    if (await conditionHeld(db.send(put))) return row;
    const stored = await get(job.processingId);
    if (stored === undefined) throw new Error(`processing ${job.processingId} vanished`);
    return stored;
  }

  async function saveResults(
    processingId: string,
    chunk: number,
    results: FileResult[],
  ): Promise<void> {
    const Item = { ...chunkKey(processingId, chunk), results };
    await db.send(new PutCommand({ TableName, Item }));
  }

  /** The results of one chunk, empty when it was not reached. */
  async function results(processingId: string, chunk: number): Promise<FileResult[]> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: chunkKey(processingId, chunk), ConsistentRead: true }),
    );
    return Item === undefined ? [] : resultsSchema.parse(Item).results;
  }

  /**
   * `in_progress` → `completed`. Answers with the row as it is then, so that a second call keeps the
   * first one's completion time.
   */
  async function complete(
    processingId: string,
    totalBytes: number,
    now: string,
    costCents?: number,
  ): Promise<Processing | undefined> {
    const row = await finish(processingId, now, 'completed', {
      totalBytes,
      completedAt: now,
      ...(costCents === undefined ? {} : { costCents }),
    });
    return row ?? (await get(processingId));
  }

  /** `in_progress` → `failed`; answers with the row as it is then: a completed one stays completed. */
  async function fail(
    processingId: string,
    errorMessage: string,
    now: string,
  ): Promise<Processing | undefined> {
    const row = await finish(processingId, now, 'failed', { errorMessage, failedAt: now });
    return row ?? (await get(processingId));
  }

  /** The row as it is after the change; undefined when it was not `in_progress`. */
  async function finish(
    processingId: string,
    now: string,
    status: 'completed' | 'failed',
    set: Record<string, unknown>,
  ): Promise<Processing | undefined> {
    const entries = Object.entries({ ...set, status, updatedAt: now });
    const row = await updateIf(store, {
      TableName,
      Key: { processingId },
      UpdateExpression: `SET ${entries.map(([name]) => `#${name} = :${name}`).join(', ')}`,
      ConditionExpression: '#status = :inProgress',
      ExpressionAttributeNames: Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ...Object.fromEntries(entries.map(([name, value]) => [`:${name}`, value])),
        ':inProgress': 'in_progress',
      },
    });
    return row === undefined
      ? undefined
      : readRow(rowSchema, row, `processing-history/${processingId}`);
  }

  /** What the delivery of its usage met; the processing itself stays as it is (FM6). */
  async function noteDeliveryError(
    processingId: string,
    errorMessage: string,
    now: string,
  ): Promise<void> {
    await updateIf(store, {
      TableName,
      Key: { processingId },
      UpdateExpression: 'SET errorMessage = :message, updatedAt = :now',
      ConditionExpression: 'attribute_exists(processingId)',
      ExpressionAttributeValues: { ':message': errorMessage, ':now': now },
    });
  }

  /** A customer's runs, newest first; every customer's (by a scan, in no order) when none is named. */
  async function* list(customerId: string | undefined): AsyncGenerator<Processing> {
    const rows =
      customerId === undefined
        ? scanAll()
        : queryIndex(store, 'processingHistory', 'customerId-createdAt-index', {
            KeyConditionExpression: 'customerId = :customer',
            ExpressionAttributeValues: { ':customer': customerId },
            ScanIndexForward: false,
          });
    yield* readableRows(store, 'processingHistory', rowSchema, rows);
  }

  /** A page of a customer's runs, newest first, and where to go on. */
  async function page(
    customerId: string,
    limit: number,
    after: Pick<Processing, 'processingId' | 'createdAt'> | undefined,
  ): Promise<{ rows: Processing[]; next?: Pick<Processing, 'processingId' | 'createdAt'> }> {
    const { Items = [], LastEvaluatedKey } = await queryIndexPage(
      store,
      'processingHistory',
      'customerId-createdAt-index',
      {
        KeyConditionExpression: 'customerId = :customer',
        ExpressionAttributeValues: { ':customer': customerId },
        ScanIndexForward: false,
        Limit: limit,
        ...(after === undefined ? {} : { ExclusiveStartKey: { ...after, customerId } }),
      },
    );
    const rows = readable(store, 'processingHistory', rowSchema, Items);
    if (LastEvaluatedKey === undefined) return { rows };
    // Of the last row that was read, which may be one that cannot be shown.
    return { rows, next: placeSchema.parse(LastEvaluatedKey) };
  }

  function scanAll() {
    return allRows(
      async (startKey) =>
        await db.send(
          new ScanCommand({
            TableName,
            FilterExpression: 'attribute_exists(customerId)',
            Limit: pageSize,
            ExclusiveStartKey: startKey,
          }),
        ),
    );
  }

  return { get, begin, saveResults, results, complete, fail, noteDeliveryError, list, page };
}
