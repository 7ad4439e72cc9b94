import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Client, Connection } from '@temporalio/client';
import { beforeEach, expect, test } from 'vitest';
import { startDynamodb } from '../../../dev/stack/dynamodb.ts';
import { isPortFree, pickFreePort } from '../../../dev/stack/free-port.ts';
import { processStartTime } from '../../../dev/stack/process-identity.ts';
import { startS3 } from '../../../dev/stack/s3.ts';
import { startStripeMock } from '../../../dev/stack/stripe-mock.ts';
import { startStripe } from '../../../dev/stack/stripe.ts';
import { startTemporalUi } from '../../../dev/stack/temporal-ui.ts';
import { startTemporal } from '../../../dev/stack/temporal.ts';
import type { RunningServer } from '../../../dev/stack/types.ts';
import { resolveTool } from '../../../dev/tools/resolve.ts';
import { createStripeControl } from '../../../stripe-double/control.ts';
import { startReceiver } from '../../../stripe-double/test/receiver.ts';
import { sdkFor } from '../../../stripe-double/test/support.ts';
import { temporaryFolder } from '../tools/fake-tool.ts';

const keys = { accessKeyId: 'TESTKEY', secretAccessKey: 'test-secret-key' };
let dataDir = '';
beforeEach(async () => {
  dataDir = await temporaryFolder();
});

/** A crash: no chance to write anything. The port is free when the process is gone. */
async function kill(server: RunningServer): Promise<void> {
  process.kill(server.pid, 'SIGKILL');
  expect(await server.exited).toBe('SIGKILL');
}

async function expectStopped(server: RunningServer): Promise<void> {
  await server.stop();
  expect(processStartTime(server.pid)).toBeUndefined();
  expect(await isPortFree(server.port)).toBe(true);
}

test('DynamoDB answers, keeps its data over SIGKILL on the same port, and stops for good', async () => {
  const first = await startDynamodb({ dataDir });
  const client = new DynamoDBClient({
    endpoint: first.url,
    region: 'us-east-1',
    credentials: keys,
  });
  await client.send(
    new CreateTableCommand({
      TableName: 'things',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    }),
  );
  const item = { id: { S: 'one' }, bytes: { N: '42' } };
  await client.send(new PutItemCommand({ TableName: 'things', Item: item }));
  await kill(first);
  const second = await startDynamodb({ dataDir, port: first.port });
  const found = await client.send(
    new GetItemCommand({ TableName: 'things', Key: { id: item.id } }),
  );
  expect(found.Item).toEqual(item);
  client.destroy();
  await expectStopped(second);
});

test('S3 answers to its keys only, keeps its data over SIGKILL, and stops for good', async () => {
  const first = await startS3({ dataDir, ...keys });
  const s3 = (secretAccessKey: string): S3Client =>
    new S3Client({
      endpoint: first.url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { ...keys, secretAccessKey },
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
  const client = s3(keys.secretAccessKey);
  const object = { Bucket: 'siftbeam', Key: 'a/b.txt' };
  await client.send(new CreateBucketCommand({ Bucket: 'siftbeam' }));
  await client.send(new PutObjectCommand({ ...object, Body: 'hello' }));
  await kill(first);
  const second = await startS3({ dataDir, ...keys, port: first.port });
  const found = await client.send(new GetObjectCommand(object));
  expect(await found.Body?.transformToString()).toBe('hello');
  await expect(s3('wrong').send(new GetObjectCommand(object))).rejects.toThrow(/signature/i);
  client.destroy();
  await expectStopped(second);
});

test('Temporal has its namespace, keeps workflows over SIGKILL, and its UI shows them', async () => {
  const { isTemporalCli } = await resolveTool('temporal-server');
  const uiPort = await pickFreePort();
  const first = await startTemporal({ dataDir, uiPort });
  const before = await Connection.connect({ address: first.address });
  const start = { taskQueue: 'nobody', workflowId: 'kept', args: [] };
  const handle = await new Client({ connection: before }).workflow.start('anything', start);
  const { config } = await before.workflowService.describeNamespace({ namespace: 'default' });
  expect(config?.workflowExecutionRetentionTtl?.seconds?.toNumber()).toBe(7 * 24 * 3_600);
  await before.close();
  await kill(first);

  const second = await startTemporal({ dataDir, port: first.port, uiPort });
  // The `temporal` CLI brings its own; the other one shows the same.
  const ui = await startTemporalUi({ dataDir, temporalAddress: second.address });
  const urls = [ui.url, ...(isTemporalCli ? [`http://127.0.0.1:${uiPort}`] : [])];
  const after = await Connection.connect({ address: second.address });
  const description = await new Client({ connection: after }).workflow.getHandle('kept').describe();
  expect(description.runId).toBe(handle.firstExecutionRunId);
  await after.close();
  for (const url of urls) {
    // A UI answers before it has its connection to the server.
    const ask = async () => (await fetch(`${url}/api/v1/namespaces/default/workflows/kept`)).status;
    await expect.poll(ask, { timeout: 30_000 }).toBe(200);
  }
  await expectStopped(ui);
  await expectStopped(second);
});

test('Stripe delivers by itself, after its own SIGKILL too, and lists no secret; it starts any number of times', async () => {
  const [secret, secretKey] = ['whsec_ofThisTest', 'sk_test_ofThisTest'];
  const away = await startReceiver(secret);
  await away.stop();
  const commands: string[] = [];
  const options = {
    dataDir,
    secretKey,
    webhook: { url: away.url, secret },
    onSpawn: ({ command }: { command: string }): void => {
      commands.push(command);
    },
  };
  const first = await startStripe(options);
  await expect(sdkFor(first.port, 'sk_test_other').customers.list()).rejects.toThrow('API Key');
  const { id } = await sdkFor(first.port, secretKey).customers.create({ name: 'Ada' });
  await createStripeControl(first.url).wait({ deliveryAttempts: 1 });
  await kill(first);

  const receiver = await startReceiver(secret, { port: away.port });
  const second = await startStripe({ ...options, port: first.port });
  await receiver.until(1);
  expect(receiver.received.map(receiver.verified)).toMatchObject([
    { type: 'customer.created', data: { object: { id } } },
  ]);
  await createStripeControl(second.url).wait({ deliveries: 1 });
  await kill(second);
  const third = await startStripe({ ...options, port: first.port });
  expect(await createStripeControl(third.url).deliveries()).toMatchObject([{ state: 'delivered' }]);
  const listed = await sdkFor(third.port, secretKey).webhookEndpoints.list();
  expect(listed.data.map(({ url }) => url)).toEqual([away.url]);
  await expectStopped(third);
  expect(commands).toHaveLength(3);
  expect(commands.join()).not.toMatch(/whsec_|sk_test_/);
});

test('two stacks side by side get ports of their own', async () => {
  const folders = [dataDir, await temporaryFolder()];
  const servers = await Promise.all(
    folders.flatMap((folder) => [
      startTemporal({ dataDir: folder }),
      startDynamodb({ dataDir: folder }),
      startS3({ dataDir: folder, ...keys }),
    ]),
  );
  expect(new Set(servers.map((server) => server.port)).size).toBe(6);
  await Promise.all(servers.map(expectStopped));
});

test('stripe-mock answers with the shapes of Stripe', async () => {
  const server = await startStripeMock({ dataDir });
  const headers = { authorization: 'Bearer sk_test_123' };
  const response = await fetch(`${server.url}/v1/customers/cus_1`, { headers });
  expect(await response.json()).toMatchObject({ object: 'customer' });
  await expectStopped(server);
});

test('a port that was asked for and is taken is an error, and nobody is disturbed', async () => {
  const server = await startDynamodb({ dataDir, port: await pickFreePort() });
  const other = await temporaryFolder();
  await expect(startS3({ dataDir: other, ...keys, port: server.port })).rejects.toMatchObject({
    code: 'conflict',
    message: `port ${server.port} is taken`,
  });
  await expectStopped(server);
});
