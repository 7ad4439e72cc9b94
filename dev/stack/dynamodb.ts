import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { answersOk } from './probe.ts';
import { startTool } from './start-tool.ts';
import type { RunningServer, StartOptions } from './types.ts';

interface DynamodbOptions extends StartOptions {
  /** Keeps no file: for a server that is never started again, and a third quicker. */
  inMemory?: boolean;
}

/** dynoxide: the DynamoDB API over SQLite in `<dataDir>/dynamodb`. It accepts any credentials. */
export async function startDynamodb(options: DynamodbOptions): Promise<RunningServer> {
  const folder = path.join(options.dataDir, 'dynamodb');
  await mkdir(folder, { recursive: true });
  const file = options.inMemory === true ? [] : [`--db-path=${path.join(folder, 'tables.db')}`];
  return await startTool('dynoxide', 'dynamodb', options, (port) => ({
    args: ['--host=127.0.0.1', `--port=${port}`, ...file],
    env: {},
    probe: async () => await answersOk(`http://127.0.0.1:${port}/`, LIST_TABLES),
  }));
}

/** A ListTables call; dynoxide reads the credential's form only. */
const LIST_TABLES = {
  method: 'POST',
  headers: {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'DynamoDB_20120810.ListTables',
    'x-amz-date': '20260101T000000Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=probe/20260101/us-east-1/dynamodb/aws4_request, ' +
      'SignedHeaders=host, Signature=probe',
  },
  body: '{"Limit":1}',
};
