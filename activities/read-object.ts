/**
 * Reads an object to its end. A read that breaks or stands still goes on where it stopped, by a range: the
 * upload behind it may be slow for hours, and a store does not keep an idle connection that long (FM13).
 */
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { FileVersion } from '../domain/casts.ts';
import type { Dependencies } from './dependencies.ts';
import { permanent, temporary, whyUnreadable } from './failures.ts';
import { otherSpelling } from './other-spelling.ts';

type Store = Pick<Dependencies, 's3' | 'bucket'>;

/** How long the next bytes may be waited for. */
const usualPatienceMs = 60_000;
/** Breaks without a byte between them, then the file is tried anew. */
const mostBreaks = 5;
const pauseMs = 500;

export interface ReadOptions {
  signal: AbortSignal;
  patienceMs?: number;
  /** What it was when its bytes were priced; changed since, it is not read (GA2). */
  version?: FileVersion | undefined;
}

interface Part {
  body: Readable;
  length: number;
  /** The same object throughout: another one under this key fails the read. */
  etag: string | undefined;
}

/** A file that can never be read fails for good as `FileUnreadable`, with its key. */
export async function openObject(
  store: Store,
  key: string,
  options: ReadOptions,
): Promise<{ length: number; content: AsyncGenerator<Buffer> }> {
  const first = await request(store, key, options.signal);
  if (options.version !== undefined) refuseChanged(key, options.version, first);
  return { length: first.length, content: readOn(store, key, first, options) };
}

async function* readOn(
  store: Store,
  key: string,
  first: Part,
  { signal, patienceMs = usualPatienceMs }: ReadOptions,
): AsyncGenerator<Buffer> {
  let part: Part | undefined = first;
  let [at, breaks] = [0, 0];
  while (at < first.length) {
    try {
      part ??= await request(store, key, signal, { at, etag: first.etag });
      for await (const chunk of chunksOf(part.body, patienceMs, signal)) {
        // An empty one is no progress.
        if (chunk.length === 0) continue;
        [at, breaks] = [at + chunk.length, 0];
        yield chunk;
      }
      breaks += 1;
    } catch (error) {
      signal.throwIfAborted();
      breaks += 1;
      if (breaks > mostBreaks || isChanged(error) || isFinal(error)) throw error;
    }
    if (at < first.length && breaks > mostBreaks) {
      throw temporary(`${key}: read ${at} bytes of ${first.length}`);
    }
    part = undefined;
    if (at < first.length) await delay(pauseMs, undefined, { signal });
  }
}

async function request(
  { s3, bucket }: Store,
  key: string,
  abortSignal: AbortSignal,
  from?: { at: number; etag: string | undefined },
): Promise<Part> {
  const rest =
    from === undefined
      ? {}
      : {
          Range: `bytes=${from.at}-`,
          ...(from.etag === undefined ? {} : { IfMatch: from.etag }),
        };
  try {
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, ...rest });
    const { Body, ContentLength, ETag } = await s3.send(command, { abortSignal });
    if (!(Body instanceof Readable) || ContentLength === undefined) {
      throw temporary(`${key}: the store answered without a body or its length`);
    }
    return { body: Body, length: ContentLength, etag: ETag };
  } catch (error) {
    const reason = whyUnreadable(error);
    if (reason === undefined) throw error;
    const hint = await otherSpelling({ s3, bucket }, key, abortSignal);
    throw permanent('FileUnreadable', `${key} ${reason}${hint}`);
  }
}

/** A body's bytes; when none come in time it is given up. */
async function* chunksOf(
  body: Readable,
  patienceMs: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const next = await within(chunks.next(), patienceMs, signal);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    body.destroy();
  }
}

async function within<Value>(
  awaited: Promise<Value>,
  patienceMs: number,
  signal: AbortSignal,
): Promise<Value> {
  const done = new AbortController();
  const timer = delay(patienceMs, undefined, { signal: AbortSignal.any([signal, done.signal]) });
  const late = timer.then(() => {
    throw temporary(`no bytes came for ${patienceMs / 1000} s`);
  });
  try {
    return await Promise.race([awaited, late]);
  } finally {
    done.abort();
  }
}

/** It would cost another sum than was set aside. */
function refuseChanged(key: string, version: FileVersion, { body, length, etag }: Part): void {
  if (etag === version.etag && length === version.bytes) return;
  body.destroy();
  throw permanent('FileUnreadable', `${key} was changed after the cast was priced: cast it again`);
}

/** Another object lies under the key by now: what was read of the first is worth nothing. */
function isChanged(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === 'PreconditionFailed' || error.name === 'InvalidRange')
  );
}

function isFinal(error: unknown): boolean {
  return error instanceof Error && 'nonRetryable' in error && error.nonRetryable === true;
}
