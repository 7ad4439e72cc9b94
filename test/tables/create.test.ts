import { CreateTableCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { createTables } from '../../tables/create.ts';
import { createCustomers } from '../../tables/customers.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import { tableSchemas } from '../../tables/schema.ts';
import { atOnce, refusalOf, at, useDynamodb } from './support.ts';

const database = useDynamodb();
const names = Object.values(tableSchemas).map(({ name }) => name);

async function createTable(name: string, key: string, index?: { name: string; keys: string[] }) {
  const keys = index?.keys ?? [];
  await database.client().send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
      AttributeDefinitions: [...new Set([key, ...keys])].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S' as const,
      })),
      ...(index === undefined
        ? {}
        : {
            GlobalSecondaryIndexes: [
              {
                IndexName: index.name,
                KeySchema: keys.map((AttributeName, position) => ({
                  AttributeName,
                  KeyType: position === 0 ? ('HASH' as const) : ('RANGE' as const),
                })),
                Projection: { ProjectionType: 'ALL' as const },
              },
            ],
          }),
    }),
  );
}

describe('setup creates what is missing and changes nothing that is there', () => {
  test('FM2 DL1 twice: created, then present, and the rows are kept', async () => {
    const prefix = database.newPrefix();
    const result = (outcome: string) => names.map((name) => ({ table: prefix + name, outcome }));
    expect(await createTables(database.client(), prefix)).toStrictEqual(result('created'));
    const customers = createCustomers(createTableStore(database.client(), prefix));
    const row = { customerId: 'cus_1', plan: 'free', billingStatus: 'none', createdAt: at(0) };
    await customers.add({ ...row, billingStatus: 'none' });
    expect(await createTables(database.client(), prefix)).toStrictEqual(result('present'));
    expect(await customers.get('cus_1')).toStrictEqual(row);
  });

  test('DL1 five set-ups at once all succeed', async () => {
    const prefix = database.newPrefix();
    const results = await atOnce(5, async () => await createTables(database.client(), prefix));
    expect(results.map((tables) => tables.map(({ table }) => table))).toStrictEqual(
      results.map(() => names.map((name) => prefix + name)),
    );
  });

  test('DL1 keys, indexes and their key types are as the schema says', async () => {
    const { prefix } = await database.newStore();
    const described = await database
      .client()
      .send(new DescribeTableCommand({ TableName: `${prefix}usage-ledger` }));
    const indexes = described.Table?.GlobalSecondaryIndexes ?? [];
    const sorted = indexes.toSorted((a, b) => String(a.IndexName).localeCompare(`${b.IndexName}`));
    expect(described.Table?.KeySchema).toStrictEqual([
      { AttributeName: 'identifier', KeyType: 'HASH' },
    ]);
    expect(sorted.map(({ IndexName, KeySchema }) => [IndexName, KeySchema])).toStrictEqual([
      [
        'customerId-occurredAt-index',
        [
          { AttributeName: 'customerId', KeyType: 'HASH' },
          { AttributeName: 'occurredAt', KeyType: 'RANGE' },
        ],
      ],
      [
        'deliveryShard-index',
        [
          { AttributeName: 'deliveryShard', KeyType: 'HASH' },
          { AttributeName: 'nextAttemptAt', KeyType: 'RANGE' },
        ],
      ],
    ]);
    const shard = described.Table?.AttributeDefinitions?.find(
      ({ AttributeName }) => AttributeName === 'deliveryShard',
    );
    expect(shard?.AttributeType).toBe('N');
  });
});

describe('setup refuses what differs', () => {
  test('DL1 a table with another key', async () => {
    const prefix = database.newPrefix();
    await createTable(`${prefix}customers`, 'id');
    expect(await refusalOf(createTables(database.client(), prefix))).toStrictEqual({
      code: 'conflict',
      message:
        `table ${prefix}customers is there with key id (wanted customerId): ` +
        'choose another TABLE_PREFIX or mend the table',
    });
  });

  test('DL1 a table without its index', async () => {
    const prefix = database.newPrefix();
    await createTable(`${prefix}dead-letters`, 'id');
    const { code, message } = await refusalOf(createTables(database.client(), prefix));
    expect(code).toBe('conflict');
    expect(message).toContain('without index kind-createdAt-index (kind + createdAt)');
  });

  test('DL1 an index of that name with other keys', async () => {
    const prefix = database.newPrefix();
    const index = { name: 'kind-createdAt-index', keys: ['kind', 'id'] };
    await createTable(`${prefix}dead-letters`, 'id', index);
    const { code, message } = await refusalOf(createTables(database.client(), prefix));
    expect(code).toBe('conflict');
    expect(message).toContain('without index kind-createdAt-index (kind + createdAt)');
  });
});
