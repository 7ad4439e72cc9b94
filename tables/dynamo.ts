/** What every table module needs: the client, conditional writes told apart, and paging by an index. */
import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DynamoDBDocumentClient,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type {
  QueryCommandInput,
  TransactWriteCommandInput,
  UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { tableSchemas } from './schema.ts';

export interface TableStore {
  db: DynamoDBDocumentClient;
  /** Put before every table's name. */
  prefix: string;
  /** Rows that have expired by then are as good as gone: DynamoDB deletes them within days only. */
  now: () => Date;
  /** Hears of each row that a list leaves out, since it cannot be read (SB19). */
  onUnreadable: (problem: string) => void;
}

/** Rows asked for at a time: small pages keep a shared store quick for others. */
export const pageSize = 200;

export function createTableStore(
  client: DynamoDBClient,
  prefix: string,
  now: () => Date = () => new Date(),
  onUnreadable: (problem: string) => void = () => {},
): TableStore {
  const db = DynamoDBDocumentClient.from(client, {
    marshallOptions: { removeUndefinedValues: true },
  });
  return { db, prefix, now, onUnreadable };
}

/** Runs a conditional write; `false` when its condition did not hold, any other error is thrown. */
export async function conditionHeld(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

export type Row = Record<string, unknown>;

type Update = UpdateCommandInput & { ConditionExpression: string };

/**
 * Changes a row on a condition; undefined when it did not hold, and then nothing changed. Answers with the whole
 * row as it stands after the change, unless `ReturnValues` asks for less ({} for `NONE`).
 */
export async function updateIf(store: TableStore, update: Update): Promise<Row | undefined> {
  const { held, row } = await updateOrTell(store, update);
  return held ? (row ?? {}) : undefined;
}

/**
 * As `updateIf`; when the condition did not hold, `row` is what stands there, undefined when nothing does.
 * `sendOnce`: the SDK does not repeat it, for a write that may be undone in between and then be made again.
 */
export async function updateOrTell(
  { db }: TableStore,
  update: Update,
  { sendOnce = false } = {},
): Promise<{ held: boolean; row?: Row }> {
  const command = new UpdateCommand({
    ReturnValues: 'ALL_NEW',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    ...update,
  });
  if (sendOnce) refuseRepeats(command);
  try {
    const { Attributes } = await db.send(command);
    return { held: true, ...(Attributes === undefined ? {} : { row: Attributes }) };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    // Told by the store in its wire form.
    return { held: false, ...(error.Item === undefined ? {} : { row: unmarshall(error.Item) }) };
  }
}

/** Every attempt after the first ends as the first did, and is not sent. */
function refuseRepeats(command: UpdateCommand): void {
  const once = <Args, Answer>(next: (args: Args) => Promise<Answer>) => {
    let first: Promise<Answer> | undefined;
    return async (args: Args): Promise<Answer> => {
      first ??= next(args);
      return await first;
    };
  };
  command.middlewareStack.addRelativeTo(once, {
    name: 'sendOnce',
    relation: 'after',
    toMiddleware: 'retryMiddleware',
    // The document client merges a command's stack with itself.
    override: true,
  });
}

export type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** Writes all or none; `false`, and nothing is changed, when a row had changed or was just being written. */
export async function transactIf({ db }: TableStore, items: TransactItem[]): Promise<boolean> {
  try {
    await db.send(new TransactWriteCommand({ TransactItems: items }));
    return true;
  } catch (error) {
    if (error instanceof TransactionCanceledException && wasOvertaken(error)) return false;
    throw error;
  }
}

function wasOvertaken({ CancellationReasons = [] }: TransactionCanceledException): boolean {
  const codes = CancellationReasons.map(({ Code }) => Code).filter((code) => code !== 'None');
  const harmless = ['ConditionalCheckFailed', 'TransactionConflict'];
  return codes.length > 0 && codes.every((code) => code !== undefined && harmless.includes(code));
}

interface Page {
  Items?: Row[] | undefined;
  LastEvaluatedKey?: Row | undefined;
}

/** All rows of a query or scan, page after page. */
export async function* allRows(
  fetchPage: (startKey: Row | undefined) => Promise<Page>,
): AsyncGenerator<Row> {
  let startKey: Row | undefined;
  do {
    const page = await fetchPage(startKey);
    yield* page.Items ?? [];
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
}

type Table = keyof typeof tableSchemas;
/** The indexes that `schema.ts` gives to a table. */
type IndexOf<Name extends Table> = (typeof tableSchemas)[Name]['indexes'][number]['name'];
type IndexQuery = Omit<QueryCommandInput, 'TableName' | 'IndexName' | 'ConsistentRead'>;

/** One page of an index. An index may lag behind its table: what must be sure is read by key (WH23). */
export async function queryIndexPage<Name extends Table>(
  { db, prefix }: TableStore,
  table: Name,
  index: IndexOf<Name>,
  query: IndexQuery,
): Promise<Page> {
  const TableName = `${prefix}${tableSchemas[table].name}`;
  return await db.send(
    new QueryCommand({ Limit: pageSize, ...query, TableName, IndexName: index }),
  );
}

/** All rows of an index that answer to `query`, page after page. */
export function queryIndex<Name extends Table>(
  store: TableStore,
  table: Name,
  index: IndexOf<Name>,
  query: Omit<IndexQuery, 'ExclusiveStartKey'>,
): AsyncGenerator<Row> {
  return allRows(
    async (ExclusiveStartKey) =>
      await queryIndexPage(store, table, index, { ...query, ExclusiveStartKey }),
  );
}
