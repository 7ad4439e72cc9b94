/**
 * What is done to a file's bytes (FM3): a stream in, a stream out, in constant memory. The activity
 * around it reads, counts, hashes, writes and heartbeats, so a processor of your own is this function.
 */
import type { Duplex } from 'node:stream';
import { createGzip } from 'node:zlib';

export interface Processor {
  /** A new stream for one file. */
  createStream: () => Duplex;
  contentType: string;
}

/** The built-in one compresses; level 1, since it runs on every byte that is billed. */
export const gzipProcessor: Processor = {
  createStream: () => createGzip({ level: 1 }),
  contentType: 'application/gzip',
};
