/**
 * One row a customer and month: the bill of its storage. A billed one changes in one case only: when
 * Stripe refuses its usage afterwards (SB25).
 */
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { conditionHeld, queryIndex, updateIf } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { readableRows, readRow } from './read-rows.ts';
import { tableSchemas } from './schema.ts';

const digits = z.string().regex(/^[0-9]+$/);
const rowSchema = z.object({
  customerId: z.string(),
  billingMonth: z.string(),
  dailyUsageSum: digits,
  totalStorageDays: z.number().int(),
  averageStorageBytes: digits,
  averageOver: z.enum(['recorded-days', 'calendar-days']),
  peakStorageBytes: digits,
  missingDays: z.array(z.string()),
  /** Filled in after they were over; bills of before this was kept have none. */
  lateDays: z.array(z.string()).exactOptional(),
  /** The days that the figures come from: these become billed, no others. */
  countedDays: z.array(z.string()),
  stripeMeterStatus: z.enum(['success', 'failed', 'pending']),
  stripeMeterAmount: digits,
  stripeMeterEventId: z.string(),
  stripeMeterSentAt: z.string().exactOptional(),
  calculatedAt: z.string(),
  billingStatus: z.enum(['billed', 'failed', 'pending']),
  /** The run of `billCustomerStorage` that closed it: that one counts it (SB15). */
  billedBy: z.string().exactOptional(),
  notes: z.string().exactOptional(),
  ttl: z.number().int(),
});
export type StorageBill = z.infer<typeof rowSchema>;

const fiveYearsSeconds = 5 * 366 * 86_400;

const nameOf = (row: Record<string, unknown>): string =>
  `storage-usage-monthly/${String(row['customerId'])}/${String(row['billingMonth'])}`;

export type StorageMonthly = ReturnType<typeof createStorageMonthly>;

export function createStorageMonthly(store: TableStore) {
  const { db, prefix, now } = store;
  const TableName = `${prefix}${tableSchemas.storageMonthly.name}`;
  const isAlive = ({ ttl }: { ttl: number }): boolean => ttl > now().getTime() / 1000;

  async function get(customerId: string, billingMonth: string): Promise<StorageBill | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { customerId, billingMonth }, ConsistentRead: true }),
    );
    if (Item === undefined) return undefined;
    const row = readRow(rowSchema, Item, nameOf({ customerId, billingMonth }));
    return isAlive(row) ? row : undefined;
  }

  /** Writes a bill as it stands now; `false` when it was billed already, and then nothing changes. */
  async function put(bill: Omit<StorageBill, 'ttl'>): Promise<boolean> {
    const ttl = Date.parse(`${bill.billingMonth}-01T00:00:00.000Z`) / 1000 + fiveYearsSeconds;
    const command = new PutCommand({
      TableName,
      Item: { ...bill, ttl },
      ConditionExpression: 'attribute_not_exists(customerId) OR billingStatus <> :billed',
      ExpressionAttributeValues: { ':billed': 'billed' },
    });
    return await conditionHeld(db.send(command));
  }

  /** Stripe refused its usage: `failed`, however it stood. */
  async function refuse(
    { customerId, billingMonth }: Pick<StorageBill, 'customerId' | 'billingMonth'>,
    notes: string,
  ): Promise<void> {
    await updateIf(store, {
      TableName,
      Key: { customerId, billingMonth },
      UpdateExpression:
        'SET billingStatus = :failed, stripeMeterStatus = :failed, notes = :notes REMOVE stripeMeterSentAt, billedBy',
      ConditionExpression: 'attribute_exists(customerId)',
      ExpressionAttributeValues: { ':failed': 'failed', ':notes': notes },
    });
  }

  /** A month's bills in one state, all pages. */
  async function* ofMonth(
    billingMonth: string,
    billingStatus: StorageBill['billingStatus'],
  ): AsyncGenerator<StorageBill> {
    const rows = queryIndex(store, 'storageMonthly', 'billingStatus-month-index', {
      KeyConditionExpression: 'billingStatus = :status AND billingMonth = :month',
      ExpressionAttributeValues: { ':status': billingStatus, ':month': billingMonth },
    });
    for await (const row of readableRows(store, 'storageMonthly', rowSchema, rows)) {
      if (isAlive(row)) yield row;
    }
  }

  return { get, put, refuse, ofMonth };
}
