/** How `--wait` tells that a run of storage failed. No worker runs: the test ends the runs itself. */
import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { workflowIds } from '../../domain/ids.ts';
import { createDynamoDb } from '../../platform/dynamodb.ts';
import { parseConfig } from '../../platform/config.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import { openTables } from '../../tables/open.ts';
import { durabill, startServers } from './support.ts';
import type { Servers } from './support.ts';
import { newLetter } from '../support/dead-letters.ts';

let servers: Servers;
let connection: Connection;
let client: Client;

beforeAll(async () => {
  servers = await startServers();
  const { code, stderr } = await durabill(['setup'], servers.env);
  if (code !== 0) throw new Error(stderr);
  connection = await Connection.connect({ address: servers.env['TEMPORAL_ADDRESS'] ?? '' });
  client = new Client({ connection });
});
afterAll(async () => {
  await connection.close();
  await servers.stop();
});

const day = '2026-02-01';
const waiting = ['storage', 'aggregate', '--day', day, '--wait', '--json'];

async function untilRunning(workflowId: string): Promise<void> {
  const status = async (): Promise<string> => {
    try {
      return (await client.workflow.getHandle(workflowId).describe()).status.name;
    } catch {
      return 'missing';
    }
  };
  await expect.poll(status, { timeout: 300_000 }).toBe('RUNNING');
}

/** Takes the workflow's first task, as a worker does, and answers with its result. */
async function completeWith(result: object): Promise<void> {
  const { namespace } = client.options;
  const queue = { namespace, taskQueue: { name: 'durabill' }, identity: 'test' };
  const task = await client.withDeadline(
    Date.now() + 30_000,
    async () => await client.workflowService.pollWorkflowTaskQueue(queue),
  );
  const payloads = [defaultPayloadConverter.toPayload(result)];
  await client.workflowService.respondWorkflowTaskCompleted({
    namespace,
    taskToken: task.taskToken,
    identity: 'test',
    commands: [
      {
        // temporal.api.enums.v1.CommandType: COMPLETE_WORKFLOW_EXECUTION
        commandType: 4,
        completeWorkflowExecutionCommandAttributes: { result: { payloads } },
      },
    ],
  });
}

test('a run that was ended from outside fails the command, and says why', async () => {
  const running = durabill(waiting, servers.env);
  const workflowId = workflowIds.aggregateStorage(day);
  await untilRunning(workflowId);
  await client.workflow.getHandle(workflowId).terminate('enough');
  const { code, stdout, stderr } = await running;
  expect({ code, stdout: JSON.parse(stdout) as unknown }).toMatchObject({
    code: 1,
    stdout: { error: 'conflict' },
  });
  expect(stderr).toContain(`measuring ${day} failed: `);
  expect(stderr).toContain('enough');
});

test('SB5 customers that could not be measured are named, exit 1', async () => {
  const dynamo = createDynamoDb(parseConfig(servers.env));
  const { deadLetters } = openTables(createTableStore(dynamo, 'siftbeam-'));
  for (const [customerId, date] of [
    ['cus_1', day],
    ['cus_2', '2026-01-31'],
  ] as const) {
    const letter = newLetter('storage-day', date, { customerId, error: 'denied' });
    await deadLetters.open(letter, `${day}T01:00`);
  }
  dynamo.destroy();
  const running = durabill(waiting, servers.env);
  await untilRunning(workflowIds.aggregateStorage(day));
  const tally = { customers: 9, bytes: '9007199254740993', files: 9 };
  await completeWith({ day, ...tally, failed: 1, chunksDone: 1, chunks: 1, durationMs: 1500 });
  const { code, stdout, stderr } = await running;
  expect({ code, stdout: JSON.parse(stdout) as unknown }).toMatchObject({
    code: 1,
    stdout: { ...tally, failed: 1, deadLetters: [{ id: `storage-day/cus_1/${day}` }] },
  });
  expect((JSON.parse(stdout) as { deadLetters: object[] }).deadLetters).toHaveLength(1);
  expect(stderr).toContain('1 customer(s) could not be measured');
});

test('a dry run that cannot go on is still one JSON value, exit 1', async () => {
  const env = { ...servers.env, TABLE_PREFIX: 'nowhere-', CLOCK_OFFSET_SECONDS: '0' };
  const month = new Date(Date.now() - 31 * 86_400_000).toISOString().slice(0, 7);
  const args = ['bill', 'month', '--month', month, '--dry-run', '--json'];
  const { code, stdout } = await durabill(args, env);
  expect({ code, answer: JSON.parse(stdout) as unknown }).toMatchObject({
    code: 1,
    answer: { error: 'not_found' },
  });
});
