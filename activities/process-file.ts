/** Reads one file, runs the processor, writes the result whole or not at all. */
import { createHash } from 'node:crypto';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Upload } from '@aws-sdk/lib-storage';
import { inputKey, outputKey, partBytesOf } from '../domain/files.ts';
import type { FileVersion } from '../domain/casts.ts';
import type { FileResult } from '../domain/processing.ts';
import type { Dependencies } from './dependencies.ts';
import { permanent, temporary, whyUnwritable } from './failures.ts';
import { openObject } from './read-object.ts';

/** With two parts in flight a file takes three parts of memory: 24 MB up to 70 GB of input. */
const partsInFlight = 2;
/** Of one file: its read, and the parts that are being written (FM15). */
export const connectionsPerFile = 1 + partsInFlight;

export interface FileOrder {
  processingId: string;
  customerId: string;
  file: string;
  /** What it was when its bytes were priced; changed since, it is not read (GA2). */
  version?: FileVersion;
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
  const stop = new AbortController();
  const stopping = AbortSignal.any([signal, stop.signal]);
  const source = await openObject(deps, key, {
    signal: stopping,
    version: order.version,
  });
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
    partSize: partBytesOf(source.length),
    queueSize: partsInFlight,
    leavePartsOnError: false,
  });
  // Whichever side fails first breaks the stream between them, so that the other ends too: a broken
  // body never completes an upload, and a broken upload never leaves the reader waiting.
  let failure: Error | undefined;
  const fail = (error: unknown): void => {
    failure ??= error instanceof Error ? error : new Error('the upload failed');
    body.destroy(failure);
    stop.abort();
  };
  const failWriting = (error: unknown): void => {
    const reason = whyUnwritable(error, target);
    fail(reason === undefined ? error : permanent('FileUnwritable', `${key}: ${target} ${reason}`));
  };
  const processor = deps.processor.createStream();
  const reading = pipeline(source.content, counted.stream, processor, body, { signal: stopping });
  await Promise.all([reading.catch(fail), upload.done().catch(failWriting)]);
  if (failure !== undefined) throw failure;
  return { key, bytes: source.length, outputKey: target, sha256: counted.sha256() };
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
