/** One customer's day as the peers measure it: two listings and one PutItem, with the product's SDKs. */
import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { inputPrefix, outputPrefix } from '../../../../domain/files.ts';
import { addObject, nothingStored, snapshotOf } from '../../../../domain/storage.ts';
import type { StorageCount } from '../../../../domain/storage.ts';
import { createDynamoDb } from '../../../../platform/dynamodb.ts';
import { createS3 } from '../../../../platform/s3.ts';
import { parseConfig, readEnvironment } from '../../../../platform/config.ts';
import { createTableStore } from '../../../../tables/dynamo.ts';
import { tableSchemas } from '../../../../tables/schema.ts';

const config = parseConfig(readEnvironment());
const s3 = createS3(config);
export const tables = createTableStore(createDynamoDb(config), config.TABLE_PREFIX);
const TableName = `${tables.prefix}${tableSchemas.storageDaily.name}`;
const twoYearsSeconds = 732 * 86_400;

export async function measureCustomer(order: { day: string; customerId: string }): Promise<void> {
  const { day, customerId } = order;
  const [input, output] = await Promise.all([
    count(inputPrefix(customerId)),
    count(outputPrefix(customerId)),
  ]);
  const Item = {
    ...snapshotOf(customerId, day, input, output),
    billingStatus: 'pending',
    calculatedAt: new Date().toISOString(),
    ttl: Date.parse(day) / 1000 + twoYearsSeconds,
  };
  await tables.db.send(new PutCommand({ TableName, Item }));
}

async function count(Prefix: string): Promise<StorageCount> {
  let found = nothingStored;
  const order = { Bucket: config.BUCKET, Prefix };
  for await (const page of paginateListObjectsV2({ client: s3 }, order)) {
    for (const { Key = '', Size = 0 } of page.Contents ?? []) found = addObject(found, Key, Size);
  }
  return found;
}
