/** Creates the tables that are missing; never changes one that is there. */
import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BillingError } from '../domain/errors.ts';
import { numberAttributes, tableSchemas } from './schema.ts';
import type { IndexSchema, TableSchema } from './schema.ts';

export interface TableResult {
  table: string;
  outcome: 'created' | 'present';
}

/** What creates each table of our own, with its indexes. */
export function createTableInputs(prefix: string): CreateTableCommandInput[] {
  const schemas: TableSchema[] = Object.values(tableSchemas);
  return schemas.map((schema) => createInput(`${prefix}${schema.name}`, schema));
}

/** Idempotent. Throws BillingError `conflict` when a table of that name has other keys or lacks an index. */
export async function createTables(client: DynamoDBClient, prefix: string): Promise<TableResult[]> {
  const schemas: TableSchema[] = Object.values(tableSchemas);
  return await Promise.all(
    schemas.map(async (schema) => await ensureTable(client, prefix, schema)),
  );
}

async function ensureTable(
  client: DynamoDBClient,
  prefix: string,
  schema: TableSchema,
): Promise<TableResult> {
  const table = `${prefix}${schema.name}`;
  const outcome = (await isPresent(client, table, schema)) ? 'present' : 'created';
  if (outcome === 'created') {
    try {
      await client.send(new CreateTableCommand(createInput(table, schema)));
    } catch (error) {
      // Another set-up was quicker.
      if (!(error instanceof ResourceInUseException)) throw error;
    }
    await waitUntilTableExists({ client, maxWaitTime: 120, minDelay: 1 }, { TableName: table });
  }
  if (schema.ttl !== undefined) await ensureTtl(client, table, schema.ttl);
  return { table, outcome };
}

async function isPresent(
  client: DynamoDBClient,
  table: string,
  schema: TableSchema,
): Promise<boolean> {
  try {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
    const keys = Table?.KeySchema?.map((key) => key.AttributeName).join(' + ');
    const wanted = keyNames(schema).join(' + ');
    const indexes = new Set(
      Table?.GlobalSecondaryIndexes?.map((index) =>
        named(
          index.IndexName,
          index.KeySchema?.map((key) => key.AttributeName),
        ),
      ),
    );
    const lacking = schema.indexes
      .map((index) => named(index.name, keyNames(index)))
      .filter((index) => !indexes.has(index));
    if (keys !== wanted || lacking.length > 0) {
      throw new BillingError(
        'conflict',
        `table ${table} is there with key ${keys ?? 'unknown'} (wanted ${wanted})` +
          `${lacking.map((index) => `, without index ${index}`).join('')}: ` +
          'choose another TABLE_PREFIX or mend the table',
      );
    }
    return true;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return false;
    throw error;
  }
}

/** An index as a person would write it, and as it is compared: its name and its keys. */
function named(index: string | undefined, keys: (string | undefined)[] | undefined): string {
  return `${index ?? 'unnamed'} (${keys?.join(' + ') ?? 'no keys'})`;
}

function keyNames(schema: { partitionKey: string; sortKey?: string }): string[] {
  return schema.sortKey === undefined
    ? [schema.partitionKey]
    : [schema.partitionKey, schema.sortKey];
}

function keySchema(schema: { partitionKey: string; sortKey?: string }) {
  return keyNames(schema).map((AttributeName, position) => ({
    AttributeName,
    KeyType: position === 0 ? ('HASH' as const) : ('RANGE' as const),
  }));
}

function createInput(table: string, schema: TableSchema): CreateTableCommandInput {
  const attributes = new Set([schema, ...schema.indexes].flatMap((keyed) => keyNames(keyed)));
  const indexes = schema.indexes.map((index: IndexSchema) => ({
    IndexName: index.name,
    KeySchema: keySchema(index),
    Projection:
      index.include === undefined
        ? { ProjectionType: 'ALL' as const }
        : { ProjectionType: 'INCLUDE' as const, NonKeyAttributes: index.include },
  }));
  return {
    TableName: table,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keySchema(schema),
    AttributeDefinitions: [...attributes].map((AttributeName) => ({
      AttributeName,
      AttributeType: numberAttributes.has(AttributeName) ? ('N' as const) : ('S' as const),
    })),
    ...(indexes.length === 0 ? {} : { GlobalSecondaryIndexes: indexes }),
  };
}

async function ensureTtl(client: DynamoDBClient, table: string, attribute: string): Promise<void> {
  const { TimeToLiveDescription } = await client.send(
    new DescribeTimeToLiveCommand({ TableName: table }),
  );
  const status = TimeToLiveDescription?.TimeToLiveStatus;
  if (status === 'ENABLED' || status === 'ENABLING') return;
  await client.send(
    new UpdateTimeToLiveCommand({
      TableName: table,
      TimeToLiveSpecification: { AttributeName: attribute, Enabled: true },
    }),
  );
}
