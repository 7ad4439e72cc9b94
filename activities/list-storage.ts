/**
 * Counts what customers store, by two ways of listing with the same figures: a flat walk over a sorted
 * range of customers (a call tells of up to 1,000 objects of many small ones), and one prefix at a time.
 */
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { _Object, S3Client } from '@aws-sdk/client-s3';
import type { LimitFunction } from 'p-limit';
import { addObject, nothingStored } from '../domain/storage.ts';
import type { StorageCount } from '../domain/storage.ts';

export interface ObjectStore {
  s3: S3Client;
  bucket: string;
  /** Every call goes through it: it bounds how many run at once (SB6). */
  limit: LimitFunction;
}

interface Page {
  objects: _Object[];
  more: boolean;
}

/** One page of at most 1,000 objects, in the order of their keys. */
async function listPage(
  { s3, bucket, limit }: ObjectStore,
  prefix: string,
  startAfter: string | undefined,
  abortSignal: AbortSignal,
): Promise<Page> {
  const command = new ListObjectsV2Command({
    Bucket: bucket,
    Prefix: prefix,
    ...(startAfter === undefined ? {} : { StartAfter: startAfter }),
  });
  const answer = await limit(async () => await s3.send(command, { abortSignal }));
  const objects = answer.Contents ?? [];
  const more = answer.IsTruncated === true;
  if (more && objects.length === 0) throw new Error(`the listing of ${prefix} does not go on`);
  return { objects, more };
}

/** All pages below a prefix that ends in `/` (`cus_1/` is not `cus_10/`), from after a key on. */
export async function countPrefix(
  store: ObjectStore,
  prefix: string,
  signal: AbortSignal,
  startAfter?: string,
): Promise<StorageCount> {
  let count = nothingStored;
  let after = startAfter;
  for (;;) {
    const page = await listPage(store, prefix, after, signal);
    for (const { Key = '', Size = 0 } of page.objects) count = addObject(count, Key, Size);
    if (!page.more) return count;
    after = page.objects.at(-1)?.Key;
  }
}

/**
 * Walks `<root><customerId>/…` once for all of `customerIds`, jumping over keys of anyone else. A
 * customer whose objects fill a whole page is counted by `countPrefix` from there on, beside the walk.
 * Every customer has an entry in the result.
 */
export async function countFlat(
  store: ObjectStore,
  root: string,
  customerIds: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, StorageCount>> {
  const customers = customerIds.toSorted((one, other) => (`${one}/` < `${other}/` ? -1 : 1));
  const counts = new Map(customers.map((id) => [id, nothingStored]));
  const big: Promise<void>[] = [];
  let failure: Error | undefined;
  const add = (id: string, more: StorageCount): void => {
    const { bytes, files } = counts.get(id) ?? nothingStored;
    counts.set(id, { bytes: bytes + more.bytes, files: files + more.files });
  };
  let position = 0;
  let after: string | undefined;
  while (position < customers.length) {
    const wanted = customers[position] ?? '';
    // Just before the customer's prefix: `.` comes before `/`, and `~` is the last of ASCII, so that
    // most of what begins with `<id>.` is jumped over too.
    const from = `${root}${wanted}.~`;
    if (after === undefined || after < from) after = from;
    const page = await listPage(store, root, after, signal);
    for (const { Key = '', Size = 0 } of page.objects) {
      const owner = ownerOf(root, Key);
      if (counts.has(owner)) add(owner, addObject(nothingStored, Key, Size));
    }
    if (!page.more) break;
    after = page.objects.at(-1)?.Key ?? after;
    const [first, last] = [ownerOf(root, page.objects[0]?.Key ?? ''), ownerOf(root, after)];
    if (first === last && counts.has(last)) {
      const [lastKey, prefix] = [after, `${root}${last}/`];
      big.push(
        countPrefix(store, prefix, signal, lastKey).then(
          (rest) => {
            add(last, rest);
          },
          (error: unknown) => {
            failure ??= error instanceof Error ? error : new Error('a listing failed');
          },
        ),
      );
      position = afterOwner(customers, last, position, true);
    } else {
      position = afterOwner(customers, last, position, false);
    }
  }
  await Promise.all(big);
  if (failure !== undefined) throw failure;
  return counts;
}

/** The first step of a key below the root; empty for an object that lies in the root itself. */
function ownerOf(root: string, key: string): string {
  const end = key.indexOf('/', root.length);
  return end === -1 ? '' : key.slice(root.length, end);
}

/**
 * The first customer whose keys are not before those of `owner` (or after them, when it is done with).
 * Compared with their `/`, as the keys are: `cus_1-old/` lies before `cus_1/`, though `cus_1` does not.
 */
function afterOwner(
  customerIds: readonly string[],
  owner: string,
  from: number,
  done: boolean,
): number {
  let position = from;
  while (position < customerIds.length) {
    const [prefix, passed] = [`${customerIds[position] ?? ''}/`, `${owner}/`];
    if (done ? prefix > passed : prefix >= passed) break;
    position += 1;
  }
  return position;
}
