import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { TableStore } from '../../../tables/dynamo.ts';

/** Every item of a table, all pages, as it lies there. */
export async function* allItems(
  { db, prefix }: TableStore,
  name: string,
): AsyncGenerator<Record<string, unknown>> {
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const order = new ScanCommand({ TableName: `${prefix}${name}`, ExclusiveStartKey });
    const page = await db.send(order);
    yield* page.Items ?? [];
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
}
