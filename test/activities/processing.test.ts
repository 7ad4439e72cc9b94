import { createHash, randomBytes } from 'node:crypto';
import { Duplex } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import type { ChunkOrder } from '../../activities/process-chunk.ts';
import { gzipProcessor } from '../../activities/processor.ts';
import { inputKey, outputKey, outputPrefix } from '../../domain/files.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

const customerId = 'cus_files';
let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(async () => {
  await services.stop();
});

function activities() {
  const { deps, told } = createTestDependencies(services);
  return { ...createActivities(deps), told };
}

const quiet = new DefaultLogger('ERROR');
const mockEnvironment = (info: Partial<Info> = {}) =>
  new MockActivityEnvironment(info, { logger: quiet });

async function runChunk(order: ChunkOrder, environment = mockEnvironment()) {
  const { processChunk } = activities();
  return await environment.run(processChunk, order);
}

async function outputs(processingId: string): Promise<string[]> {
  const Prefix = `${outputPrefix(customerId)}${processingId}/`;
  const Bucket = services.config.BUCKET;
  const { Contents } = await services.s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return (Contents ?? []).map((object) => object.Key ?? '').toSorted();
}

describe('FM3 the built-in processor', () => {
  test('gzips each file under the output prefix and records its SHA-256 and bytes', async () => {
    const bodies = new Map([
      ['a.bin', randomBytes(1024)],
      ['deep/folder/ä name.txt', Buffer.from('ünïcode '.repeat(500))],
      ['empty', Buffer.alloc(0)],
    ]);
    for (const [file, body] of bodies) await services.putFile(customerId, file, body);
    const files = [...bodies.keys()];
    const done = await runChunk({ processingId: 'gz', customerId, chunk: 0, files });
    const bytes = [...bodies.values()].reduce((total, body) => total + body.length, 0);
    expect(done).toEqual({ files: 3, bytes });
    const results = await services.processings.results('gz', 0);
    for (const [file, body] of bodies) {
      const result = results.find((each) => each.key === inputKey(customerId, file));
      expect(result).toEqual({
        key: inputKey(customerId, file),
        bytes: body.length,
        outputKey: outputKey(customerId, 'gz', file),
        sha256: createHash('sha256').update(body).digest('hex'),
      });
      const written = await services.s3.send(
        new GetObjectCommand({ Bucket: services.config.BUCKET, Key: result?.outputKey ?? '' }),
      );
      const zipped = await written.Body?.transformToByteArray();
      expect(gunzipSync(zipped ?? '')).toEqual(body);
    }
  });

  test('a file of several parts, in order and whole', async () => {
    const body = randomBytes(20 * 1024 * 1024 + 17);
    await services.putFile(customerId, 'large.bin', body);
    const order = { processingId: 'large', customerId, chunk: 0, files: ['large.bin'] };
    expect(await runChunk(order)).toEqual({ files: 1, bytes: body.length });
    const [result] = await services.processings.results('large', 0);
    expect(result?.sha256).toBe(createHash('sha256').update(body).digest('hex'));
  });

  test('FM13 a file that stands still is beaten for, with the position of its chunk', async () => {
    await services.putFile(customerId, 'still.bin', 'four');
    const environment = mockEnvironment({ heartbeatTimeoutMs: 200 });
    const beats: unknown[] = [];
    const beaten = new Promise<void>((resolve) => {
      environment.on('heartbeat', (details) => {
        if (beats.push(details) === 10) resolve();
      });
    });
    // No byte comes through before the tenth beat.
    async function* standStill(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      await beaten;
      yield* source;
    }
    const processor = { ...gzipProcessor, createStream: () => Duplex.from(standStill) };
    const { deps } = createTestDependencies(services, { processor });
    const order = { processingId: 'still', customerId, chunk: 0, files: ['still.bin'] };
    const done = await environment.run(createActivities(deps).processChunk, order);
    expect(done).toEqual({ files: 1, bytes: 4 });
    const reading = { [inputKey(customerId, 'still.bin')]: 4 };
    expect(beats[9]).toEqual({ results: [], reading });
  });

  test('a missing file fails for good, with its key, and the others stop', async () => {
    await services.putFile(customerId, 'there.bin', randomBytes(4096));
    const files = ['there.bin', 'missing.bin'];
    const order = { processingId: 'missing', customerId, chunk: 0, files };
    await expect(runChunk(order)).rejects.toMatchObject({
      type: 'FileUnreadable',
      nonRetryable: true,
      message: 'service/input/cus_files/missing.bin does not exist',
    });
    expect(await services.processings.results('missing', 0)).toEqual([]);
  });

  test('a folder is not a file', async () => {
    const Key = `${inputKey(customerId, 'folder')}/inside.txt`;
    const Bucket = services.config.BUCKET;
    await services.s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    const order = { processingId: 'folder', customerId, chunk: 0, files: ['folder'] };
    await expect(runChunk(order)).rejects.toMatchObject({ type: 'FileUnreadable' });
  });

  test('the successor of a killed worker goes on from the heartbeat', async () => {
    await services.putFile(customerId, 'second.bin', 'second');
    const earlier = {
      key: inputKey(customerId, 'first.bin'),
      bytes: 5,
      outputKey: outputKey(customerId, 'resumed', 'first.bin'),
      sha256: 'f'.repeat(64),
    };
    const heartbeatDetails = { results: [earlier], reading: {} };
    const environment = mockEnvironment({ attempt: 2, heartbeatDetails });
    // first.bin is in no bucket: reading it again would fail.
    const files = ['first.bin', 'second.bin'];
    const order = { processingId: 'resumed', customerId, chunk: 0, files };
    expect(await runChunk(order, environment)).toEqual({ files: 2, bytes: 11 });
  });

  test('cancelled in the middle: nothing is written under the output prefix', async () => {
    await services.putFile(customerId, 'cancelled.bin', randomBytes(30 * 1024 * 1024));
    const environment = mockEnvironment();
    let read = 0;
    async function* cancelLate(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const part of source) {
        read += part.length;
        // By then parts of its output are on their way.
        if (read > 20 * 1024 * 1024) environment.cancel();
        yield part;
      }
    }
    const processor = { ...gzipProcessor, createStream: () => Duplex.from(cancelLate) };
    const { deps } = createTestDependencies(services, { processor });
    const order = { processingId: 'cancelled', customerId, chunk: 0, files: ['cancelled.bin'] };
    const running = environment.run(createActivities(deps).processChunk, order);
    await expect(running).rejects.toThrow(/abort|cancel/i);
    expect(read).toBeLessThan(30 * 1024 * 1024);
    expect(await outputs('cancelled')).toEqual([]);
  });

  test('removeOutputs takes away all pages of one job and nothing of another', async () => {
    const files = Array.from({ length: 1100 }, (_, index) => `n${index}`);
    const Bucket = services.config.BUCKET;
    const keys = files.map((file) => outputKey(customerId, 'job1', file));
    const other = outputKey(customerId, 'job10', 'kept');
    for (const Key of [...keys, other]) {
      await services.s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    }
    const { removeOutputs } = activities();
    expect(await removeOutputs({ processingId: 'job1', customerId })).toEqual({ removed: 1100 });
    expect(await outputs('job1')).toEqual([]);
    expect(await outputs('job10')).toEqual([other]);
  });
});

describe('the row and the ledger', () => {
  const request = (processingId: string) => ({ processingId, customerId, files: ['a', 'b'] });

  test('FM2 FM4 completed once: the second run offers the ledger the same facts', async () => {
    const { beginProcessing, completeProcessing, told } = activities();
    expect((await beginProcessing(request('once'))).status).toBe('in_progress');
    const job = { processingId: 'once', customerId, totalBytes: 5120 };
    expect(await completeProcessing(job)).toEqual({ delivery: 'pending' });
    expect(await completeProcessing(job)).toEqual({ delivery: 'pending' });
    const row = await services.processings.get('once');
    expect(row).toMatchObject({ status: 'completed', totalBytes: 5120, fileCount: 2 });
    expect(await services.ledger.get('once')).toMatchObject({
      identifier: 'once',
      quantity: '5120',
      occurredAt: row?.completedAt,
      meter: 'file_processed',
    });
    expect(told.announced).toEqual(['once', 'once']);
  });

  test('FM9 zero bytes: a row of zero, nothing to deliver', async () => {
    const { beginProcessing, completeProcessing, told } = activities();
    await beginProcessing(request('zero'));
    const job = { processingId: 'zero', customerId, totalBytes: 0 };
    expect(await completeProcessing(job)).toEqual({ delivery: 'delivered' });
    expect(await services.ledger.get('zero')).toMatchObject({ quantity: '0', attempts: 0 });
    expect(told.announced).toEqual([]);
  });

  test('FM1 the same id with other files is a conflict; begun again it is the same job', async () => {
    const { beginProcessing } = activities();
    await beginProcessing(request('same'));
    expect((await beginProcessing(request('same'))).status).toBe('in_progress');
    await expect(beginProcessing({ ...request('same'), files: ['a', 'c'] })).rejects.toMatchObject({
      type: 'Refused',
      nonRetryable: true,
    });
  });

  test('FM2 a failed one names its reason; a completed one cannot fail', async () => {
    const { beginProcessing, completeProcessing, failProcessing } = activities();
    await beginProcessing(request('failed'));
    await failProcessing({ processingId: 'failed', customerId, error: 'x does not exist' });
    expect(await services.processings.get('failed')).toMatchObject({
      status: 'failed',
      errorMessage: 'x does not exist',
    });
    const job = { processingId: 'failed', customerId, totalBytes: 1 };
    await expect(completeProcessing(job)).rejects.toMatchObject({ type: 'Refused' });
    expect(await services.ledger.get('failed')).toBeUndefined();
    await completeProcessing({ processingId: 'once', customerId, totalBytes: 5120 });
    await failProcessing({ processingId: 'once', customerId, error: 'late' });
    expect((await services.processings.get('once'))?.status).toBe('completed');
  });
});
