/** A chunk over a real store, through a client that watches its commands or cuts what it reads. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import type { ChunkOrder } from '../../activities/process-chunk.ts';
import { openObject } from '../../activities/read-object.ts';
import { filesPerChunk, inputKey, outputPrefix } from '../../domain/files.ts';
import { createS3 } from '../../platform/s3.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

const customerId = 'cus_chunk';
let services: Services;
let s3: S3Client;
beforeAll(async () => {
  services = await startServices();
});
afterAll(async () => {
  await services.stop();
});
afterEach(() => {
  s3.destroy();
});

/** A client of the test's own, around each of whose commands `around` stands. */
function watched(around: (command: string, send: () => Promise<unknown>) => Promise<unknown>) {
  s3 = createS3(services.config);
  s3.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        let answer: Awaited<ReturnType<typeof next>> | undefined;
        const output = await around(commandName, async () => (answer = await next(args)).output);
        if (answer === undefined) throw new Error('nothing was sent');
        return { ...answer, output: output as typeof answer.output };
      },
    { step: 'initialize' },
  );
  return s3;
}

async function runChunk(order: Omit<ChunkOrder, 'customerId' | 'chunk'>) {
  const { deps } = createTestDependencies(services, { s3 });
  const { processChunk } = createActivities(deps);
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  return await environment.run(processChunk, { ...order, customerId, chunk: 0 });
}

/** Ends in good order, some bytes early: so looks a cut that neither a socket nor a checksum notices. */
async function* cutBy(missing: number, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let last = Buffer.alloc(0);
  for await (const part of body) {
    const all = Buffer.concat([last, part]);
    last = all.subarray(Math.max(0, all.length - missing));
    yield all.subarray(0, all.length - last.length);
  }
}

describe('FM3 a read that ends early', () => {
  test.each([
    ['a file of one part', 1024, 1],
    ['a file of several parts', 20 * 1024 * 1024, 1_000_000],
    ['all of it', 64, 64],
  ])('FM3 %s: another try is due; no output, no result, no bytes', async (name, bytes, missing) => {
    const file = `${name}.bin`;
    const processingId = `cut-${bytes}`;
    await services.putFile(customerId, file, randomBytes(bytes));
    watched(async (command, send) => {
      if (command !== 'GetObjectCommand') return await send();
      const answer = (await send()) as GetObjectCommandOutput;
      return { ...answer, Body: Readable.from(cutBy(missing, answer.Body as Readable)) };
    });
    const failure: unknown = await runChunk({ processingId, files: [file] }).catch(
      (error: unknown) => error,
    );
    const read = `read ${bytes - missing} bytes of ${bytes}`;
    const message = `${inputKey(customerId, file)}: ${read}`;
    expect(failure).toMatchObject({ type: 'Outside', nonRetryable: false, message });
    const Bucket = services.config.BUCKET;
    const Prefix = `${outputPrefix(customerId)}${processingId}/`;
    expect(
      (await services.s3.send(new ListObjectsV2Command({ Bucket, Prefix }))).Contents,
    ).toBeUndefined();
    const uploads = await services.s3.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(uploads.Uploads ?? []).toEqual([]);
    expect(await services.processings.results(processingId, 0)).toEqual([]);
  });
});

test('FM3 the reader by itself says what never came: its length is checked twice', async () => {
  const file = 'reader.bin';
  await services.putFile(customerId, file, randomBytes(64));
  const store = {
    bucket: services.config.BUCKET,
    s3: watched(async (command, send) => {
      if (command !== 'GetObjectCommand') return await send();
      const answer = (await send()) as GetObjectCommandOutput;
      return { ...answer, Body: Readable.from(cutBy(1, answer.Body as Readable)) };
    }),
  };
  const key = inputKey(customerId, file);
  const { signal } = new AbortController();
  const { length, content } = await openObject(store, key, { signal });
  expect(length).toBe(64);
  let read = 0;
  const readAll = async () => {
    for await (const chunk of content) read += chunk.length;
  };
  await expect(readAll()).rejects.toThrow(`${key}: read 63 bytes of 64`);
  expect(read).toBe(63);
});

describe('FM12 the files of a chunk', () => {
  test('FM12 are read four at a time: one more begins when one is written', async () => {
    const files = Array.from({ length: filesPerChunk }, (_, index) => `${index}.txt`);
    for (const file of files) await services.putFile(customerId, file, file);
    let [asked, underWay, most] = [0, 0, 0];
    let allAsked: (() => void) | undefined;
    const firstFour = new Promise<void>((resolve) => (allAsked = resolve));
    watched(async (command, send) => {
      if (command === 'GetObjectCommand') {
        asked += 1;
        underWay += 1;
        most = Math.max(most, underWay);
        // The first answer comes when four were asked for, and as many more as ask without an answer.
        if (asked === 4) allAsked?.();
        await firstFour;
      }
      const answer = await send();
      if (command === 'PutObjectCommand') underWay -= 1;
      return answer;
    });
    const bytes = files.reduce((sum, file) => sum + file.length, 0);
    expect(await runChunk({ processingId: 'four', files })).toEqual({ files: 25, bytes });
    expect([asked, most, underWay]).toEqual([25, 4, 0]);
  });
});
