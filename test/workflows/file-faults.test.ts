/** Files on the real server: a store that is slow, a ledger that refuses, names that collide. */
import type { S3Client } from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { createServer, request as forwardRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workflowIds } from '../../domain/ids.ts';
import type { ProcessingOutcome, ProcessingRequest } from '../../domain/processing.ts';
import { createS3 } from '../../platform/s3.ts';
import { parseConfig } from '../../platform/config.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startTestTemporal } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';

/** Longer than the heartbeat timeout (10 s): a beat that waits for a part comes too late. */
const holdMs = 12_000;
let services: Services;
let temporal: BareTemporal;
let s3: S3Client;
let stopProxy: () => Promise<void>;

beforeAll(async () => {
  services = await startServices();
  const target = services.env['S3_ENDPOINT'] ?? '';
  const server = createServer((req, res) => {
    const options = { method: req.method ?? 'GET', headers: req.headers };
    const send = (): void => {
      const onward = forwardRequest(new URL(req.url ?? '/', target), options, (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(res);
      });
      onward.on('error', () => res.destroy());
      req.pipe(onward);
    };
    const isPart = req.method === 'PUT' && (req.url ?? '').includes('partNumber=');
    setTimeout(send, isPart ? holdMs : 0);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  s3 = createS3(parseConfig({ ...services.env, S3_ENDPOINT: `http://127.0.0.1:${port}` }));
  stopProxy = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  temporal = await startTestTemporal(services, { s3 });
});
afterAll(async () => {
  await temporal.stop();
  s3.destroy();
  await stopProxy();
  await services.stop();
});

type Story = (request: ProcessingRequest) => Promise<ProcessingOutcome>;
const handleOf = (processingId: string) =>
  temporal.client.workflow.getHandle<Story>(workflowIds.processFiles(processingId));

async function run(request: ProcessingRequest): Promise<ProcessingOutcome> {
  await temporal.engine.startProcessing(request);
  return await handleOf(request.processingId).result();
}

/** The attempt in which each activity ended. */
async function attemptsOf(processingId: string): Promise<number[]> {
  const { events } = await handleOf(processingId).fetchHistory();
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
    started?.attempt === undefined || started.attempt === null ? [] : [started.attempt],
  );
}

describe('on the real server', () => {
  test('FM13 a store that takes 12 s a part: completed on the first attempt, one meter event', async () => {
    const customerId = 'cus_slow';
    await services.control.createCustomer({ id: customerId });
    const body = randomBytes(9 * 1024 * 1024);
    await services.putFile(customerId, 'large.bin', body);
    const outcome = await run({ processingId: 'slow', customerId, files: ['large.bin'] });
    expect(outcome).toMatchObject({ status: 'completed', totalBytes: body.length });
    expect(await attemptsOf('slow')).toEqual([1]);
    const events = await services.control.events({ identifier: 'slow' });
    expect(events.map(({ value }) => value)).toEqual([String(body.length)]);
  });

  test('FM17 a ledger that has the name already: completed, a dead letter at once, nothing at Stripe', async () => {
    const customerId = 'cus_taken';
    await services.control.createCustomer({ id: customerId });
    await services.putFile(customerId, 'a', 'abc');
    const occurredAt = new Date().toISOString();
    const source = { kind: 'storage' as const, id: 'cus_taken/2026-02' };
    const other = { customerId, meter: 'storage-usage' as const, quantity: '0' };
    await services.ledger.record({ identifier: 'taken', ...other, occurredAt, source }, occurredAt);
    const outcome = await run({ processingId: 'taken', customerId, files: ['a'] });
    expect(outcome).toMatchObject({ status: 'completed', delivery: 'rejected' });
    expect(await services.deadLetters.get('usage-unrecorded/taken')).toMatchObject({
      status: 'open',
      record: { quantity: '3' },
    });
    expect(await services.control.total(customerId, 'file_processed')).toBe('0');
  });

  test('FM17 a job that is named like a storage bill is refused, and that bill’s name stays free', async () => {
    const customerId = 'cus_named';
    const processingId = `storage-${customerId}-2026-02`;
    await expect(run({ processingId, customerId, files: ['a'] })).rejects.toThrow(
      'Workflow execution failed',
    );
    expect(await services.processings.get(processingId)).toBeUndefined();
    expect(await services.ledger.get(processingId)).toBeUndefined();
  });

  test('FM14 FM3 files that this store cannot lay beside each other: failed at once, naming the file, undone', async () => {
    const customerId = 'cus_beside';
    for (const file of ['a', 'a.gz/b']) await services.putFile(customerId, file, 'x');
    const request = { processingId: 'beside', customerId, files: ['a', 'a.gz/b'] };
    await expect(run(request)).rejects.toThrow('Workflow execution failed');
    expect(await services.processings.get('beside')).toMatchObject({
      status: 'failed',
      errorMessage: expect.stringMatching(/service\/input\/cus_beside\/a.*in this store/) as string,
    });
    expect(await attemptsOf('beside')).toEqual([1, 1]);
    expect(await services.ledger.get('beside')).toBeUndefined();
  });
});
