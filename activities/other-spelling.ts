/** `é` is one character or two, and both look the same: says when the other one exists (FM14). */
import pLimit from 'p-limit';
import { printable } from '../domain/ids.ts';
import type { Dependencies } from './dependencies.ts';
import { listObjects } from './list-objects.ts';

/**
 * For a missing key, a half-sentence about one that differs from it only by its Unicode spelling; else
 * nothing. It looks through one page of what begins like it: a hint, not worth more.
 */
export async function otherSpelling(
  { s3, bucket }: Pick<Dependencies, 's3' | 'bucket'>,
  key: string,
  signal: AbortSignal,
): Promise<string> {
  const plain = /^[ -~]*/.exec(key)?.[0] ?? '';
  if (plain === key) return '';
  // Where the spellings part may be a letter earlier: `e` and its accent.
  const beginning = plain.slice(0, -1);
  const store = { s3, bucket, limit: pLimit(1) };
  try {
    const { objects } = await listObjects(store, beginning, undefined, signal);
    const other = objects.find((object) => isSameText(object.key, key));
    if (other === undefined) return '';
    return `; it is there in another Unicode spelling: ${spell(other.key)}, not ${spell(key)}`;
  } catch {
    // The file is missing either way.
    return '';
  }
}

function isSameText(one: string, other: string): boolean {
  return one !== other && one.normalize('NFC') === other.normalize('NFC');
}

/** The last step with what is not ASCII as escapes, since both spellings look alike. */
function spell(key: string): string {
  const name = printable(key.slice(key.lastIndexOf('/') + 1));
  const escaped = name.replaceAll(
    /[^ -~]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return `"${escaped}"`;
}
