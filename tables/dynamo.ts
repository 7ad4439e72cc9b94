/** What every table module needs: the client, conditional writes told apart, and paging with a limit. */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

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

type Row = Record<string, unknown>;
export interface Page {
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
