/** What part 2 is held against: the same bytes copied without work, and worked on without copying. */
import { createHash } from 'node:crypto';
import { PassThrough, Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { DeleteObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { BenchmarkContext } from '../support/benchmark.ts';
import type { BenchStack } from '../support/stack.ts';
import { largeContent } from './large-content.ts';

/** As activities/process-file.ts does it. */
const partBytes = 8 * 1024 * 1024;
const partsInFlight = 2;

/** GET → multipart PUT through the same SDK; seconds. */
export async function copyAlone(
  { signal }: BenchmarkContext,
  { s3, config }: BenchStack,
  key: string,
): Promise<number> {
  const Bucket = config.BUCKET;
  const target = `copy-alone/${key}`;
  const startedMs = performance.now();
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: key }));
  if (!(Body instanceof Readable)) throw new Error(`${key} has no stream`);
  const body = new PassThrough();
  const upload = new Upload({
    client: s3,
    params: { Bucket, Key: target, Body: body },
    partSize: partBytes,
    queueSize: partsInFlight,
  });
  await Promise.all([pipeline(Body, body, { signal }), upload.done()]);
  const seconds = (performance.now() - startedMs) / 1000;
  await s3.send(new DeleteObjectCommand({ Bucket, Key: target }));
  return seconds;
}

/** zlib level 1 and SHA-256, from memory to nowhere; seconds. */
export async function gzipAlone({ signal }: BenchmarkContext, bytes: number): Promise<number> {
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const nowhere = new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
  const startedMs = performance.now();
  await pipeline(
    Readable.from(largeContent(bytes), { objectMode: false }),
    hashing,
    createGzip({ level: 1 }),
    nowhere,
    { signal },
  );
  hash.digest('hex');
  return (performance.now() - startedMs) / 1000;
}
