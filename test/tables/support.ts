/** A real dynoxide of the test file's own, and tables of the test's own in it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll } from 'vitest';
import { startDynamodb } from '../../dev/stack/dynamodb.ts';
import type { RunningServer } from '../../dev/stack/types.ts';
import { BillingError } from '../../domain/errors.ts';
import { createTableInputs } from '../../tables/create.ts';
import { allRows, createTableStore } from '../../tables/dynamo.ts';
import type { TableStore } from '../../tables/dynamo.ts';

interface Database {
  client: () => DynamoDBClient;
  /** One more, which tries as often as in production. */
  newClient: () => DynamoDBClient;
  /** A prefix that no other test has. */
  newPrefix: () => string;
  /** All tables, empty, under a prefix of their own. */
  newStore: () => Promise<TableStore>;
}

export function useDynamodb(): Database {
  const dataDir = mkdtempSync(join(tmpdir(), 'durabill-tables-'));
  let server: RunningServer | undefined;
  let client: DynamoDBClient | undefined;
  let prefixes = 0;
  const newClient = (maxAttempts = 3): DynamoDBClient => {
    if (server === undefined) throw new Error('the database is not started');
    return new DynamoDBClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts,
    });
  };
  beforeAll(async () => {
    server = await startDynamodb({ dataDir, inMemory: true });
    client = newClient(1);
  });
  afterAll(async () => {
    client?.destroy();
    await server?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const current = (): DynamoDBClient => {
    if (client === undefined) throw new Error('the database is not started');
    return client;
  };
  const newPrefix = (): string => {
    prefixes += 1;
    return `t${prefixes}-`;
  };
  const newStore = async (): Promise<TableStore> => {
    const prefix = newPrefix();
    await Promise.all(
      createTableInputs(prefix).map(
        async (input) => await current().send(new CreateTableCommand(input)),
      ),
    );
    return createTableStore(current(), prefix);
  };
  return { client: current, newClient, newPrefix, newStore };
}

/** Every row of a table as it is stored, in no order. */
export async function rawRows(
  store: TableStore,
  table: string,
): Promise<Record<string, unknown>[]> {
  return await collect(
    allRows(
      async (ExclusiveStartKey) =>
        await store.db.send(
          new ScanCommand({
            TableName: `${store.prefix}${table}`,
            ConsistentRead: true,
            ExclusiveStartKey,
          }),
        ),
    ),
  );
}

export async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

/** Runs the calls at once and answers with what each gave. */
export async function atOnce<T>(count: number, call: (n: number) => Promise<T>): Promise<T[]> {
  return await Promise.all(Array.from({ length: count }, async (_, n) => await call(n)));
}

/** Code and message of the BillingError that it is rejected with; any other outcome is thrown on. */
export async function refusalOf(
  promise: Promise<unknown>,
): Promise<{ code: string; message: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof BillingError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it was not refused');
}

/** The moment `n` seconds after noon. */
export function at(seconds: number): string {
  return new Date(Date.UTC(2026, 10, 21, 12, 0, 0) + seconds * 1000).toISOString();
}
