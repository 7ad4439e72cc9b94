/**
 * One row a customer and day: what was stored. A row that was billed never changes (SB4), nor does one
 * that was measured on its day; one that was filled in late gives way to a newer one (SB23).
 */
import { GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { isMeasuredLate } from '../domain/storage.ts';
import type { DayUsage, Snapshot } from '../domain/storage.ts';
import { allRows, conditionHeld, queryIndex, queryIndexPage, updateIf } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { readRow } from './read-rows.ts';
import { tableSchemas } from './schema.ts';

const digits = z.string().regex(/^[0-9]+$/);
const rowSchema = z.object({
  customerId: z.string(),
  date: z.string(),
  totalStorageBytesInput: digits,
  totalStorageBytesOutput: digits,
  totalStorageBytes: digits,
  fileCountInput: z.number().int(),
  fileCountOutput: z.number().int(),
  totalFileCount: z.number().int(),
  billingMonth: z.string(),
  billingStatus: z.enum(['pending', 'billed']),
  calculatedAt: z.string(),
  /** Filled in after its day was over. */
  measuredLate: z.literal(true).exactOptional(),
  billedAt: z.string().exactOptional(),
  /** The usage record that billed it. */
  billedAs: z.string().exactOptional(),
  ttl: z.number().int(),
});
export type StorageDay = z.infer<typeof rowSchema>;

const indexSchema = rowSchema.pick({ date: true, totalStorageBytes: true, ttl: true });

/** A customer that has rows in a month, with what they hold. */
export interface CustomerMonth {
  customerId: string;
  days: DayUsage[];
  /** A row that cannot be read: its month cannot be billed, and everybody else's can (SB19). */
  problem?: string;
}

const nameOf = (row: Record<string, unknown>): string =>
  `storage-usage-daily/${String(row['customerId'])}/${String(row['date'])}`;

const twoYearsSeconds = 2 * 366 * 86_400;
/** What makes two snapshots of a day the same. */
const figures = [
  'totalStorageBytesInput',
  'totalStorageBytesOutput',
  'fileCountInput',
  'fileCountOutput',
] as const;

export type StorageDaily = ReturnType<typeof createStorageDaily>;

export function createStorageDaily(store: TableStore) {
  const { db, prefix, now } = store;
  const TableName = `${prefix}${tableSchemas.storageDaily.name}`;
  const isAlive = ({ ttl }: { ttl: number }): boolean => ttl > now().getTime() / 1000;

  /** Writes a day's row; one that says the same, was billed or was measured on its day is kept. */
  async function put(snapshot: Snapshot, calculatedAt: string): Promise<'written' | 'kept'> {
    const row: StorageDay = {
      ...snapshot,
      billingStatus: 'pending',
      calculatedAt,
      ...(isMeasuredLate(snapshot.date, Date.parse(calculatedAt)) ? { measuredLate: true } : {}),
      ttl: Date.parse(`${snapshot.date}T00:00:00.000Z`) / 1000 + twoYearsSeconds,
    };
    const differs = figures.map((name) => `${name} <> :${name}`).join(' OR ');
    const command = new PutCommand({
      TableName,
      Item: row,
      ConditionExpression: `attribute_not_exists(customerId) OR (billingStatus = :pending AND measuredLate = :late AND (${differs}))`,
      ExpressionAttributeValues: {
        ':pending': 'pending',
        ':late': true,
        ...Object.fromEntries(figures.map((name) => [`:${name}`, row[name]])),
      },
    });
    return (await conditionHeld(db.send(command))) ? 'written' : 'kept';
  }

  async function get(customerId: string, date: string): Promise<StorageDay | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { customerId, date }, ConsistentRead: true }),
    );
    if (Item === undefined) return undefined;
    const row = readRow(rowSchema, Item, nameOf({ customerId, date }));
    return isAlive(row) ? row : undefined;
  }

  /** A customer's rows of a month, in order of days. */
  async function ofMonth(customerId: string, month: string): Promise<StorageDay[]> {
    const rows = allRows(
      async (startKey) =>
        await db.send(
          new QueryCommand({
            TableName,
            ConsistentRead: true,
            KeyConditionExpression: 'customerId = :customer AND begins_with(#date, :month)',
            ExpressionAttributeNames: { '#date': 'date' },
            ExpressionAttributeValues: { ':customer': customerId, ':month': `${month}-` },
            ExclusiveStartKey: startKey,
          }),
        ),
    );
    const found: StorageDay[] = [];
    for await (const row of rows) found.push(readRow(rowSchema, row, nameOf(row)));
    return found.filter(isAlive);
  }

  /**
   * Customers with rows in a month, in order of their ids, after `after`; each with all of its days.
   * From the index, which may lag: what is billed is read again from the table itself.
   */
  async function* customersOfMonth(month: string, after = ''): AsyncGenerator<CustomerMonth> {
    const rows = queryIndex(store, 'storageDaily', 'billingMonth-index', {
      KeyConditionExpression: 'billingMonth = :month AND customerId > :after',
      // A key cannot be empty; every customer id comes after this.
      ExpressionAttributeValues: { ':month': month, ':after': after === '' ? '!' : after },
    });
    let current: CustomerMonth | undefined;
    for await (const item of rows) {
      const read = indexSchema.safeParse(item);
      if (read.success && !isAlive(read.data)) continue;
      // Its key, which no row is without.
      const customerId = String(item['customerId']);
      if (current?.customerId !== customerId) {
        if (current !== undefined) yield current;
        current = { customerId, days: [] };
      }
      if (read.success) {
        const { date, totalStorageBytes } = read.data;
        current.days.push({ date, totalStorageBytes });
      } else current.problem = `the row ${nameOf(item)} cannot be read`;
    }
    if (current !== undefined) yield current;
  }

  /** Whether any customer has a row of that day: a night without one did not run. */
  async function hasDay(date: string): Promise<boolean> {
    for (const status of ['pending', 'billed'] as const) {
      const { Items = [] } = await queryIndexPage(
        store,
        'storageDaily',
        'billingStatus-date-index',
        {
          KeyConditionExpression: 'billingStatus = :status AND #date = :date',
          ExpressionAttributeNames: { '#date': 'date' },
          ExpressionAttributeValues: { ':status': status, ':date': date },
          Limit: 1,
        },
      );
      if (Items.length > 0) return true;
    }
    return false;
  }

  /** `pending` → `billed`. Again under the same identifier it is done; `false` under another one. */
  async function markBilled(
    { customerId, date }: { customerId: string; date: string },
    identifier: string,
    at: string,
  ): Promise<boolean> {
    const marked = await updateIf(store, {
      TableName,
      Key: { customerId, date },
      UpdateExpression: 'SET billingStatus = :billed, billedAt = :at, billedAs = :identifier',
      ConditionExpression: 'billingStatus = :pending',
      ExpressionAttributeValues: {
        ':pending': 'pending',
        ':billed': 'billed',
        ':at': at,
        ':identifier': identifier,
      },
    });
    if (marked !== undefined) return true;
    return (await get(customerId, date))?.billedAs === identifier;
  }

  /** `billed` → `pending`, if it was billed under this identifier: Stripe refused it later (SB25). */
  async function markRefused(
    { customerId, date }: { customerId: string; date: string },
    identifier: string,
  ): Promise<void> {
    await updateIf(store, {
      TableName,
      Key: { customerId, date },
      UpdateExpression: 'SET billingStatus = :pending REMOVE billedAt, billedAs',
      ConditionExpression: 'billedAs = :identifier',
      ExpressionAttributeValues: { ':pending': 'pending', ':identifier': identifier },
    });
  }

  return { put, get, ofMonth, customersOfMonth, hasDay, markBilled, markRefused };
}
