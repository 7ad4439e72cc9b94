/** A past month of daily rows, written straight to the table, and what each customer must be billed. */
import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { daysOf } from '../../../domain/period.ts';
import type { TableStore } from '../../../tables/dynamo.ts';
import { tableSchemas } from '../../../tables/schema.ts';
import type { BenchmarkContext } from '../support/benchmark.ts';
import { concurrently } from '../support/concurrently.ts';
import type { BenchStack } from '../support/stack.ts';

/** DynamoDB's limit. */
const rowsAtOnce = 25;
const writersAtOnce = 8;
const customersAtOnce = 20;
/** Nearly a petabyte: the sum of its month passes 2^53. */
const hugeBytes = 990_000_000_000_000n;

export interface ExpectedBill {
  days: string[];
  missingDays: string[];
  sum: bigint;
  average: bigint;
  peak: bigint;
}

/** By customer. */
export type ExpectedBills = Map<string, ExpectedBill>;

interface Day {
  customerId: string;
  date: string;
  bytes: bigint;
}

export function planMonth(month: string, customers: number, kind: string) {
  const expected: ExpectedBills = new Map();
  const rows: Day[] = [];
  for (let index = 0; index < customers; index += 1) {
    const mixed = Math.imul(index + 1, 0x9e3779b1) >>> 0;
    const customerId = `cus_${mixed.toString(36).padStart(7, '0')}${kind}${customers}n${index}`;
    const own = daysFor(month, index).map((date, day) => ({
      customerId,
      date,
      bytes: bytesOn(index, day),
    }));
    rows.push(...own);
    expected.set(customerId, billFor(month, own));
  }
  return { expected, rows };
}

/** Most have every day; some came in the middle of the month, some lack a day of it. */
function daysFor(month: string, index: number): string[] {
  const days = daysOf(month);
  if (index % 10 === 3) return days.slice(10);
  return index % 10 === 7 ? days.filter((_, day) => day !== 14) : days;
}

function bytesOn(index: number, day: number): bigint {
  const base = index % 100 === 50 ? hugeBytes : BigInt((index * 7_919_111) % 5_000_000_000);
  return base + BigInt((day * 104_729 + index) % 1_000_003);
}

/** Worked out apart from the product's own code. */
function billFor(month: string, own: readonly Day[]): ExpectedBill {
  const days = own.map(({ date }) => date);
  const first = days[0] ?? '';
  const sum = own.reduce((total, { bytes }) => total + bytes, 0n);
  const count = BigInt(own.length);
  return {
    days,
    missingDays: daysOf(month).filter((day) => day > first && !days.includes(day)),
    sum,
    average: (2n * sum + count) / (2n * count),
    peak: own.reduce((most, { bytes }) => (bytes > most ? bytes : most), 0n),
  };
}

export async function writeMonth(
  { signal, progress }: BenchmarkContext,
  { stripe }: BenchStack,
  tables: TableStore,
  { expected, rows }: ReturnType<typeof planMonth>,
): Promise<void> {
  progress(`writing ${rows.length} daily rows of ${expected.size} customers …`);
  const TableName = `${tables.prefix}${tableSchemas.storageDaily.name}`;
  const batches = Array.from({ length: Math.ceil(rows.length / rowsAtOnce) }, (_, batch) =>
    rows.slice(batch * rowsAtOnce, (batch + 1) * rowsAtOnce),
  );
  await concurrently(batches, writersAtOnce, signal, async (batch) => {
    const puts = batch.map((day) => ({ PutRequest: { Item: toRow(day) } }));
    const order = new BatchWriteCommand({ RequestItems: { [TableName]: puts } });
    const { UnprocessedItems } = await tables.db.send(order);
    if (Object.keys(UnprocessedItems ?? {}).length > 0) throw new Error('rows were not written');
  });
  await concurrently(expected.keys(), customersAtOnce, signal, async (id) => {
    await stripe.createCustomer({ id });
  });
}

function toRow({ customerId, date, bytes }: Day): Record<string, unknown> {
  return {
    customerId,
    date,
    totalStorageBytesInput: String(bytes),
    totalStorageBytesOutput: '0',
    totalStorageBytes: String(bytes),
    fileCountInput: 3,
    fileCountOutput: 0,
    totalFileCount: 3,
    billingMonth: date.slice(0, 7),
    billingStatus: 'pending',
    calculatedAt: `${date}T23:00:00.000Z`,
    ttl: Date.parse(date) / 1000 + 732 * 86_400,
  };
}
