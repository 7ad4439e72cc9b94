/** Lists that are too long for a command line. */
import { createReadStream } from 'node:fs';
import { BillingError } from '../../domain/errors.ts';
import { printable } from '../../domain/ids.ts';

/** Ten thousand keys of a kilobyte each, and some. */
const mostBytes = 16 * 1024 * 1024;

/** The lines of a file, or of standard input for `-`; empty ones are left out. */
export async function readLines(path: string): Promise<string[]> {
  const source = path === '-' ? process.stdin : createReadStream(path);
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of source as AsyncIterable<Buffer>) {
      parts.push(part);
      bytes += part.length;
      if (bytes > mostBytes) break;
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BillingError('invalid_request', `"${printable(path)}" cannot be read: ${why}`);
  }
  if (bytes > mostBytes) {
    throw new BillingError('too_large', `"${printable(path)}" is over 16 MB: split the list`);
  }
  return decode(path, Buffer.concat(parts))
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '');
}

function decode(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new BillingError('invalid_request', `"${printable(path)}" is not UTF-8 text`);
  }
}
