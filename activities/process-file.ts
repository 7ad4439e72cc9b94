/** Reads one file, runs the processor, writes the result whole or not at all. */
import { createHash } from 'node:crypto';
import { PassThrough, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { inputKey, outputKey } from '../domain/files.ts';
import type { FileResult } from '../domain/processing.ts';
import type { Dependencies } from './dependencies.ts';
import { permanent, temporary, whyUnreadable } from './failures.ts';

/** With two parts in flight a file takes some 24 MB of memory, whatever its size; 10,000 parts are 80 GB. */
const partBytes = 8 * 1024 * 1024;
const partsInFlight = 2;

export interface FileOrder {
  processingId: string;
  customerId: string;
  file: string;
}

type FileDependencies = Pick<Dependencies, 's3' | 'bucket' | 'processor'>;

/**
 * `onBytes` hears how far the reading is. A file that can never be read fails for good as
 * `FileUnreadable`, with its key; any other error is worth another try.
 */
export async function processFile(
  deps: FileDependencies,
  order: FileOrder,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<FileResult> {
  const key = inputKey(order.customerId, order.file);
  const target = outputKey(order.customerId, order.processingId, order.file);
  const source = await openFile(deps, key, signal);
  const counted = countAndHash(key, source.length, onBytes);
  const body = new PassThrough();
  const upload = new Upload({
    client: deps.s3,
    params: {
      Bucket: deps.bucket,
      Key: target,
      Body: body,
      ContentType: deps.processor.contentType,
    },
    partSize: partBytes,
    queueSize: partsInFlight,
    leavePartsOnError: false,
  });
  // Whichever side fails first breaks the stream between them, so that the other ends too: a broken
  // body never completes an upload, and a broken upload never leaves the reader waiting.
  let failure: Error | undefined;
  const fail = (error: unknown): void => {
    failure ??= error instanceof Error ? error : new Error('the upload failed');
    body.destroy(failure);
  };
  const reading = pipeline(source.body, counted.stream, deps.processor.createStream(), body, {
    signal,
  });
  await Promise.all([reading.catch(fail), upload.done().catch(fail)]);
  if (failure !== undefined) throw failure;
  return { key, bytes: source.length, outputKey: target, sha256: counted.sha256() };
}

async function openFile(
  { s3, bucket }: FileDependencies,
  key: string,
  abortSignal: AbortSignal,
): Promise<{ body: Readable; length: number }> {
  try {
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), {
      abortSignal,
    });
    if (!(answer.Body instanceof Readable) || answer.ContentLength === undefined) {
      throw temporary(`${key}: the store answered without a body or its length`);
    }
    return { body: answer.Body, length: answer.ContentLength };
  } catch (error) {
    const reason = whyUnreadable(error);
    throw reason === undefined ? error : permanent('FileUnreadable', `${key} ${reason}`);
  }
}

/** Passes bytes on, hashing them; ends in an error when they are not as many as was announced. */
function countAndHash(key: string, length: number, onBytes: (bytes: number) => void) {
  const hash = createHash('sha256');
  let bytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      onBytes(bytes);
      done(null, chunk);
    },
    flush(done) {
      done(bytes === length ? null : temporary(`${key}: read ${bytes} bytes of ${length}`));
    },
  });
  return { stream, sha256: () => hash.digest('hex') };
}
