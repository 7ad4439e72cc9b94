/** A job's list of files as one short text: the same processing id must always mean the same list. */
import { createHash } from 'node:crypto';

/** SHA-256, in hex, of the ordered list as `parseProcessing` made it. */
export function digestFiles(files: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(files)).digest('hex');
}
