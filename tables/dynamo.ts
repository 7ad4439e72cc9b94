/** What every table module needs: the client, conditional writes told apart, and paging by an index. */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { QueryCommandInput, UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { tableSchemas } from './schema.ts';

export interface TableStore {
  db: DynamoDBDocumentClient;
  /** Put before every table's name. */
  prefix: string;
  /** Rows that have expired by then are as good as gone: DynamoDB deletes them within days only. */
  now: () => Date;
}

/** Rows asked for at a time: small pages keep a shared store quick for others. */
export const pageSize = 200;

export function createTableStore(
  client: DynamoDBClient,
  prefix: string,
  now: () => Date = () => new Date(),
): TableStore {
  const db = DynamoDBDocumentClient.from(client, {
    marshallOptions: { removeUndefinedValues: true },
  });
  return { db, prefix, now };
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

/**
 * Changes a row on a condition; undefined when it did not hold, and then nothing changed. Answers with the whole
 * row as it stands after the change, unless `ReturnValues` asks for less ({} for `NONE`).
 */
export async function updateIf(
  { db }: TableStore,
  update: UpdateCommandInput & { ConditionExpression: string },
): Promise<Row | undefined> {
  let attributes: Row = {};
  const write = db.send(new UpdateCommand({ ReturnValues: 'ALL_NEW', ...update }));
  const held = await conditionHeld(
    write.then((answer) => {
      attributes = answer.Attributes ?? {};
    }),
  );
  return held ? attributes : undefined;
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
