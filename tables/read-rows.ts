/**
 * Reading rows that somebody else may have written wrongly (SB19): no retry mends one, and it must not stop
 * those beside it.
 */
import type { z } from 'zod';
import { BillingError } from '../domain/errors.ts';
import type { Row, TableStore } from './dynamo.ts';
import { tableSchemas } from './schema.ts';
import type { TableSchema } from './schema.ts';

/** A row that is none: which one, and what is wrong with it. For good, until a person mends it. */
export class UnreadableRow extends BillingError {
  /** `<table>/<its key>`. */
  readonly rowName: string;
  /** Whose it is, as far as the row says so. */
  readonly customerId: string | undefined;

  constructor(rowName: string, row: unknown, wrong: string) {
    super('conflict', `the row ${rowName} cannot be read (${wrong})`);
    this.rowName = rowName;
    const { customerId } = (row ?? {}) as Row;
    this.customerId = typeof customerId === 'string' ? customerId : undefined;
  }
}

/** Reads a row, or throws `UnreadableRow`. */
export function readRow<Schema extends z.ZodType>(
  schema: Schema,
  row: unknown,
  name: string,
): z.output<Schema> {
  const read = schema.safeParse(row);
  if (read.success) return read.data;
  const wrong = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new UnreadableRow(name, row, wrong.join('; '));
}

/** The row, or why there is none. */
export function tryRow<Schema extends z.ZodType>(
  schema: Schema,
  row: unknown,
  name: string,
): z.output<Schema> | UnreadableRow {
  try {
    return readRow(schema, row, name);
  } catch (error) {
    if (error instanceof UnreadableRow) return error;
    throw error;
  }
}

/**
 * Of many rows those that can be read; of each other one `TableStore.onUnreadable` hears. For what is shown
 * or looked through: where work hangs on each row, the caller lays the others aside itself.
 */
export function readable<Schema extends z.ZodType>(
  store: TableStore,
  table: keyof typeof tableSchemas,
  schema: Schema,
  rows: readonly Row[],
): z.output<Schema>[] {
  return rows.flatMap((row) => {
    const read = tryRow(schema, row, rowName(table, row));
    if (!(read instanceof UnreadableRow)) return [read];
    store.onUnreadable(read.message);
    return [];
  });
}

/** The same, one after another. */
export async function* readableRows<Schema extends z.ZodType>(
  store: TableStore,
  table: keyof typeof tableSchemas,
  schema: Schema,
  rows: AsyncIterable<Row>,
): AsyncGenerator<z.output<Schema>> {
  for await (const row of rows) yield* readable(store, table, schema, [row]);
}

/** `<table>/<its key>`; a key is never missing. */
export function rowName(table: keyof typeof tableSchemas, row: Row): string {
  const { name, partitionKey, sortKey }: TableSchema = tableSchemas[table];
  const keys = [partitionKey, ...(sortKey === undefined ? [] : [sortKey])];
  return [name, ...keys.map((key) => String(row[key]))].join('/');
}
