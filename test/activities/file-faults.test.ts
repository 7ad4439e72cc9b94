/** What goes wrong between a file and its output: slow uploads, reads that stand still, names, sizes. */
import { createServer, request as forwardRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHash, randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import type { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { createActivities } from '../../activities/index.ts';
import type { ChunkOrder } from '../../activities/process-chunk.ts';
import { openObject } from '../../activities/read-object.ts';
import { inputKey, outputKey, outputPrefix } from '../../domain/files.ts';
import { createS3 } from '../../platform/s3.ts';
import { parseConfig } from '../../platform/config.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

const customerId = 'cus_faults';
let services: Services;
/** Through the proxy. */
let s3: S3Client;
/** Decides of a request; true when it has dealt with it. */
let meddle: (req: IncomingMessage, res: ServerResponse) => boolean = () => false;
let stopProxy: () => Promise<void>;

beforeAll(async () => {
  services = await startServices();
  const target = services.env['S3_ENDPOINT'] ?? '';
  const server = createServer((req, res) => {
    if (!meddle(req, res)) pass(target, req, res);
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
});
afterAll(async () => {
  s3.destroy();
  await stopProxy();
  await services.stop();
});
beforeEach(() => {
  meddle = () => false;
});

/** Forwards a request; of its answer's body at most so many bytes, and then the connection is cut or stands. */
function pass(
  target: string,
  req: IncomingMessage,
  res: ServerResponse,
  limit?: { bytes: number; end: 'cut' | 'stand' },
): void {
  const options = { method: req.method ?? 'GET', headers: req.headers };
  const onward = forwardRequest(new URL(req.url ?? '/', target), options, (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    if (limit === undefined) {
      answer.pipe(res);
      return;
    }
    let left = limit.bytes;
    answer.on('end', () => {
      if (left > 0) res.end();
    });
    answer.on('data', (chunk: Buffer) => {
      if (left <= 0) return;
      const part = chunk.subarray(0, left);
      left -= part.length;
      res.write(part, () => {
        if (left <= 0 && limit.end === 'cut') res.destroy();
      });
    });
  });
  onward.on('error', () => res.destroy());
  req.pipe(onward);
}

function activities(changes: Partial<Dependencies> = {}) {
  return createActivities(createTestDependencies(services, { s3, ...changes }).deps);
}

async function runChunk(
  processingId: string,
  files: string[],
  changes: Partial<Dependencies> = {},
) {
  const { processChunk } = activities(changes);
  type Chunk = (order: ChunkOrder) => Promise<{ files: number; bytes: number }>;
  const order = { processingId, customerId, chunk: 0, files };
  return await new MockActivityEnvironment().run<
    [ChunkOrder],
    { files: number; bytes: number },
    Chunk
  >(processChunk, order);
}

async function outputs(processingId: string): Promise<string[]> {
  const Prefix = `${outputPrefix(customerId)}${processingId}/`;
  const Bucket = services.config.BUCKET;
  const { Contents } = await services.s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return (Contents ?? []).map(({ Key = '' }) => Key.slice(Prefix.length)).toSorted();
}

async function outputOf(processingId: string, file: string): Promise<Buffer> {
  const Key = outputKey(customerId, processingId, file);
  const answer = await services.s3.send(
    new GetObjectCommand({ Bucket: services.config.BUCKET, Key }),
  );
  return gunzipSync((await answer.Body?.transformToByteArray()) ?? '');
}

const isRead = (req: IncomingMessage, file: string): boolean =>
  req.method === 'GET' && (req.url ?? '').includes(encodeURI(inputKey(customerId, file)));

describe('FM13 FM3 a read that breaks or stands still', () => {
  test('FM3 FM13 cut again and again it goes on where it stopped: whole, once, with the right digest', async () => {
    const body = randomBytes(1_000_000);
    await services.putFile(customerId, 'cut.bin', body);
    const ranges: (string | undefined)[] = [];
    meddle = (req, res) => {
      if (!isRead(req, 'cut.bin')) return false;
      ranges.push(req.headers.range);
      const target = services.env['S3_ENDPOINT'] ?? '';
      pass(target, req, res, { bytes: 400_000, end: 'cut' });
      return true;
    };
    expect(await runChunk('cut', ['cut.bin'])).toEqual({ files: 1, bytes: body.length });
    const [result] = await services.processings.results('cut', 0);
    expect(result?.sha256).toBe(createHash('sha256').update(body).digest('hex'));
    expect(await outputOf('cut', 'cut.bin')).toEqual(body);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.length).toBeGreaterThan(2);
    expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).toBe(true);
  });

  test('FM13 one that stands still is given up and goes on by a range', async () => {
    const body = randomBytes(500_000);
    await services.putFile(customerId, 'stands.bin', body);
    let reads = 0;
    meddle = (req, res) => {
      if (!isRead(req, 'stands.bin')) return false;
      reads += 1;
      if (reads > 1) return false;
      const target = services.env['S3_ENDPOINT'] ?? '';
      pass(target, req, res, { bytes: 200_000, end: 'stand' });
      return true;
    };
    const store = { s3, bucket: services.config.BUCKET };
    const { signal } = new AbortController();
    const key = inputKey(customerId, 'stands.bin');
    const { length, content } = await openObject(store, key, { signal, patienceMs: 1000 });
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk);
    expect(length).toBe(body.length);
    expect(Buffer.concat(chunks)).toEqual(body);
    expect(reads).toBeGreaterThan(1);
  });

  test('FM3 another object under the key meanwhile: the file is tried anew, never a mixture', async () => {
    await services.putFile(customerId, 'changed.bin', Buffer.alloc(900_000, 1));
    let reads = 0;
    meddle = (req, res) => {
      if (!isRead(req, 'changed.bin')) return false;
      reads += 1;
      const target = services.env['S3_ENDPOINT'] ?? '';
      if (reads === 1) {
        pass(target, req, res, { bytes: 300_000, end: 'cut' });
        return true;
      }
      void services.putFile(customerId, 'changed.bin', Buffer.alloc(900_000, 2)).then(() => {
        pass(target, req, res);
      });
      return true;
    };
    await expect(runChunk('changed', ['changed.bin'])).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    expect(await outputs('changed')).toEqual([]);
  });
});

describe('FM13 an attempt that was believed dead', () => {
  /** Begins a job, holds the reads of its files, undoes it meanwhile; `release` lets a read go on. */
  async function undoneMeanwhile(processingId: string, files: string[]) {
    const job = { processingId, customerId };
    const { beginProcessing, failProcessing, removeOutputs } = activities();
    await beginProcessing({ ...job, files });
    const held = new Map<string, () => void>();
    let allHeld = (): void => undefined;
    const reached = new Promise<void>((resolve) => (allHeld = resolve));
    meddle = (req, res) => {
      const file = files.find((name) => isRead(req, name));
      if (file === undefined) return false;
      held.set(file, () => {
        pass(services.env['S3_ENDPOINT'] ?? '', req, res);
      });
      if (held.size === files.length) allHeld();
      return true;
    };
    const late = runChunk(processingId, files);
    const ended = late.catch((error: unknown) => error);
    await reached;
    await failProcessing({ ...job, error: 'cancelled' });
    await removeOutputs(job);
    return { ended, release: (file: string) => held.get(file)?.() };
  }

  test('FM13 writes nothing that stays after its job was undone', async () => {
    await services.putFile(customerId, 'late.bin', 'late');
    const { ended, release } = await undoneMeanwhile('undone', ['late.bin']);
    release('late.bin');
    expect(await ended).toMatchObject({ type: 'Refused', nonRetryable: true });
    expect(await outputs('undone')).toEqual([]);
    expect(await services.processings.results('undone', 0)).toEqual([]);
  });

  test('FM13 nor when it fails itself after it has written', async () => {
    await services.putFile(customerId, 'written.bin', 'late');
    const files = ['written.bin', 'absent.bin'];
    const { ended, release } = await undoneMeanwhile('half-undone', files);
    release('written.bin');
    const written = async () => await outputs('half-undone');
    await expect.poll(written, { timeout: 300_000 }).toEqual(['written.bin.gz']);
    release('absent.bin');
    expect(await ended).toMatchObject({ type: 'Refused', nonRetryable: true });
    expect(await written()).toEqual([]);
  });
});

describe('FM14 names are bytes', () => {
  const composed = 'é.bin'.normalize('NFC');
  const decomposed = composed.normalize('NFD');

  test('FM14 two spellings of é are two files, and both have their outputs', async () => {
    await services.putFile(customerId, composed, Buffer.alloc(100, 1));
    await services.putFile(customerId, decomposed, Buffer.alloc(200, 2));
    const files = [composed, decomposed];
    expect(await runChunk('two', files)).toEqual({ files: 2, bytes: 300 });
    expect(await outputOf('two', composed)).toEqual(Buffer.alloc(100, 1));
    expect(await outputOf('two', decomposed)).toEqual(Buffer.alloc(200, 2));
  });

  test('FM14 one that is missing only by its spelling says that the other one is there', async () => {
    await services.putFile(customerId, 'only/café.txt'.normalize('NFD'), 'x');
    const asked = 'only/café.txt'.normalize('NFC');
    await expect(runChunk('spelling', [asked])).rejects.toMatchObject({
      type: 'FileUnreadable',
      nonRetryable: true,
      message:
        `${inputKey(customerId, asked)} does not exist; it is there in another Unicode spelling: ` +
        String.raw`"cafe\u{301}.txt", not "caf\u{e9}.txt"`,
    });
  });

  test('FM14 trailing spaces, leading dots, signs of URLs and 250 bytes are names as any other', async () => {
    const files = ['trailing ', '.hidden', 'n'.repeat(250), '+', '%2F', '#?&', 'a b/%41', '😀'];
    for (const file of files) await services.putFile(customerId, file, file);
    const bytes = files.reduce((sum, file) => sum + Buffer.byteLength(file), 0);
    expect(await runChunk('odd', files)).toEqual({ files: files.length, bytes });
    for (const file of files) expect((await outputOf('odd', file)).toString()).toBe(file);
  });

  test.each([
    ['below', ['a', 'a.gz/b'], 'cannot lie in this store below a name that is a file already'],
    ['above', ['a.gz/b', 'a'], 'is a folder in this store already: other files lie below it'],
    ['long', ['n'.repeat(254)], 'is a longer name than the store takes'],
  ])(
    'FM14 FM3 what the store cannot write (%s) fails at once, naming the file and why',
    async (processingId, files, reason) => {
      for (const file of files) await services.putFile(customerId, file, 'x');
      const [first = '', second = first] = files;
      if (second !== first) await runChunk(processingId, [first]);
      const failure: unknown = await runChunk(processingId, [second]).catch(
        (error: unknown) => error,
      );
      const { type, nonRetryable, message } = failure as ApplicationFailure;
      const target = outputKey(customerId, processingId, second);
      expect({ type, nonRetryable, message }).toEqual({
        type: 'FileUnwritable',
        nonRetryable: true,
        message: `${inputKey(customerId, second)}: ${target} ${reason}`,
      });
    },
  );
});

describe('FM17 a completed processing always has its usage', () => {
  const begin = async (processingId: string): Promise<void> => {
    await activities().beginProcessing({ processingId, customerId, files: ['x'] });
  };

  test('FM17 a conflict at the ledger is a dead letter at once, and the job says so', async () => {
    const processingId = 'collides';
    const source = { kind: 'storage' as const, id: 'cus_other/2026-02' };
    const occurredAt = '2026-02-28T23:59:59.000Z';
    const other = { customerId: 'cus_other', meter: 'storage-usage' as const, quantity: '5' };
    await services.ledger.record(
      { identifier: processingId, ...other, occurredAt, source },
      occurredAt,
    );
    await begin(processingId);
    const { completeProcessing } = activities();
    const job = { processingId, customerId, totalBytes: 1024 };
    for (let time = 0; time < 2; time += 1) {
      expect(await completeProcessing(job)).toEqual({ delivery: 'rejected' });
    }
    const row = await services.processings.get(processingId);
    expect(await services.deadLetters.get(`usage-unrecorded/${processingId}`)).toMatchObject({
      status: 'open',
      customerId,
      error: expect.stringContaining('is in the ledger with other facts') as string,
      record: { quantity: '1024', occurredAt: row?.completedAt, meter: 'file_processed' },
    });
    expect(row).toMatchObject({
      status: 'completed',
      errorMessage: expect.stringContaining('is in the ledger with other facts') as string,
    });
  });

  test('FM17 a sum past 2^53 bytes ends the chunk for good', async () => {
    await services.putFile(customerId, 'one-more', 'x');
    const first = { key: 'k', bytes: Number.MAX_SAFE_INTEGER, outputKey: 'o', sha256: 's' };
    const heartbeatDetails = { results: [first], reading: {} };
    const environment = new MockActivityEnvironment({ attempt: 2, heartbeatDetails });
    const { processChunk } = activities();
    const order = { processingId: 'sum', customerId, chunk: 0, files: ['one-more'] };
    type Chunk = (given: ChunkOrder) => Promise<object>;
    const running = environment.run<[ChunkOrder], object, Chunk>(processChunk, order);
    await expect(running).rejects.toMatchObject({
      type: 'Refused',
      nonRetryable: true,
      message: 'the job is larger than can be counted exactly (2^53 bytes)',
    });
  });
});
