/** Every row of every measured day, in all its figures, beside what was laid out. */
import { z } from 'zod';
import { tableSchemas } from '../../../tables/schema.ts';
import { allItems } from '../support/all-items.ts';
import type { Check } from '../support/benchmark.ts';
import type { BenchStack } from '../support/stack.ts';
import type { Expected, Layout } from './layout.ts';

/** A day that was measured: by whom, and how many customers there were. */
export interface MeasuredDay {
  day: string;
  customers: number;
}

const rowSchema = z.strictObject({
  customerId: z.string(),
  date: z.string(),
  totalStorageBytesInput: z.string(),
  totalStorageBytesOutput: z.string(),
  totalStorageBytes: z.string(),
  fileCountInput: z.number(),
  fileCountOutput: z.number(),
  totalFileCount: z.number(),
  billingMonth: z.string(),
  billingStatus: z.string(),
  calculatedAt: z.iso.datetime(),
  ttl: z.number(),
});
type Row = z.infer<typeof rowSchema>;

export async function checkRows(
  stack: BenchStack,
  layout: Layout,
  days: readonly MeasuredDay[],
): Promise<Check> {
  const wrong: string[] = [];
  const rowsOf = new Map(days.map(({ day }) => [day, 0]));
  for await (const item of allItems(stack.tables, tableSchemas.storageDaily.name)) {
    const row = rowSchema.parse(item);
    const expected = layout.get(row.customerId);
    const before = rowsOf.get(row.date);
    if (expected === undefined || before === undefined) {
      wrong.push(`${row.customerId} ${row.date}: nobody asked for it`);
      continue;
    }
    rowsOf.set(row.date, before + 1);
    for (const [name, value] of Object.entries(figuresOf(row.date, expected))) {
      const found = row[name as keyof Row];
      if (found !== value) {
        wrong.push(`${row.customerId} ${row.date}: ${name} is ${found}, not ${value}`);
      }
    }
  }
  let rows = 0;
  for (const { day, customers } of days) {
    const found = rowsOf.get(day) ?? 0;
    rows += found;
    if (found !== customers) wrong.push(`${day}: ${found} rows for ${customers} customers`);
  }
  return {
    name: 'every row = what was laid out, in all its figures',
    ok: wrong.length === 0 && rows > 0,
    detail:
      wrong.length === 0
        ? `${rows} rows of ${days.length} days`
        : `${wrong.length} wrong: ${wrong.slice(0, 5).join('; ')}`,
  };
}

function figuresOf(day: string, expected: Expected): Partial<Row> {
  const { inputBytes, outputBytes, inputFiles, outputFiles } = expected;
  return {
    totalStorageBytesInput: String(inputBytes),
    totalStorageBytesOutput: String(outputBytes),
    totalStorageBytes: String(inputBytes + outputBytes),
    fileCountInput: inputFiles,
    fileCountOutput: outputFiles,
    totalFileCount: inputFiles + outputFiles,
    billingMonth: day.slice(0, 7),
    billingStatus: 'pending',
    ttl: Date.parse(day) / 1000 + 732 * 86_400,
  };
}
