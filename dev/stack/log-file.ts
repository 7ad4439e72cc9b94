import { closeSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';

const LOG_MAXIMUM_BYTES = 20 * 1024 * 1024;
const TAIL_BYTES = 64 * 1024;
const LINE_MAXIMUM = 300;

export interface LogFile {
  path: string;
  descriptor: number;
  /** Where this start's output begins. */
  startsAt: number;
}

/** Opens `<dataDir>/logs/<name>.log` to append to; one that grew large becomes `.log.1` first. */
export function openLogFile(dataDir: string, name: string): LogFile {
  const file = path.join(dataDir, 'logs', `${name}.log`);
  mkdirSync(path.dirname(file), { recursive: true });
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_MAXIMUM_BYTES) {
    renameSync(file, `${file}.1`);
  }
  const descriptor = openSync(file, 'a', 0o600);
  return { path: file, descriptor, startsAt: statSync(file).size };
}

/** The last lines that were written since `startsAt`. */
export function lastLines(log: Pick<LogFile, 'path' | 'startsAt'>, count: number): string[] {
  const size = statSync(log.path, { throwIfNoEntry: false })?.size ?? 0;
  const from = Math.max(log.startsAt, size - TAIL_BYTES);
  if (from >= size) return [];
  const descriptor = openSync(log.path, 'r');
  try {
    const buffer = Buffer.alloc(size - from);
    const bytes = readSync(descriptor, buffer, 0, buffer.length, from);
    const lines = buffer.subarray(0, bytes).toString('utf8').split('\n');
    const written = lines.filter((line) => line.trim() !== '').slice(-count);
    // The Temporal server's lines carry stack traces of several thousand characters.
    return written.map((line) =>
      line.length > LINE_MAXIMUM ? `${line.slice(0, LINE_MAXIMUM)}…` : line,
    );
  } finally {
    closeSync(descriptor);
  }
}
