/**
 * Counts what customers store, by two ways of listing with the same figures: a flat walk over a sorted
 * range of customers (a call tells of up to 1,000 objects of many small ones), and one prefix at a time.
 */
import { addObject, nothingStored } from '../domain/storage.ts';
import type { StorageCount } from '../domain/storage.ts';
import { allObjects, listObjects } from './list-objects.ts';
import type { ListedObject, ObjectStore, Place } from './list-objects.ts';

/** All pages below a prefix that ends in `/` (`cus_1/` is not `cus_10/`), from a place on. */
export async function countPrefix(
  store: ObjectStore,
  prefix: string,
  signal: AbortSignal,
  start?: Place,
): Promise<StorageCount> {
  let count = nothingStored;
  for await (const objects of allObjects(store, prefix, signal, start)) {
    for (const { key, bytes } of objects) count = addObject(count, key, bytes);
  }
  return count;
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
  const countBeside = async (id: string, after: string): Promise<void> => {
    try {
      add(id, await countPrefix(store, `${root}${id}/`, signal, { after }));
    } catch (error) {
      failure ??= error instanceof Error ? error : new Error('a listing failed');
    }
  };
  let position = 0;
  let place: Place | undefined;
  /** The last key that was surely read. */
  let reached: string | undefined = '';
  while (position < customers.length) {
    const from = justBefore(root, customers[position] ?? '');
    // Where a page ended is not always known: then nothing is jumped over.
    if (reached !== undefined && reached < from) place = { after: from };
    const page = await listObjects(store, root, place, signal);
    for (const { key, bytes } of page.objects) {
      const owner = ownerOf(root, key);
      if (counts.has(owner)) add(owner, addObject(nothingStored, key, bytes));
    }
    if (page.next === undefined) break;
    place = page.next;
    reached = page.last;
    if (reached === undefined) continue;
    const owner = ownerOf(root, reached);
    const isBig = counts.has(owner) && belongToOne(root, page.objects);
    if (isBig) big.push(countBeside(owner, reached));
    position = afterOwner(customers, owner, position, isBig);
  }
  await Promise.all(big);
  if (failure !== undefined) throw failure;
  return counts;
}

/**
 * Just before the customer's prefix: `.` comes before `/`, and `~` is the last of ASCII, so that most
 * of what begins with `<id>.` is jumped over too.
 */
function justBefore(root: string, customerId: string): string {
  return `${root}${customerId}.~`;
}

function belongToOne(root: string, objects: readonly ListedObject[]): boolean {
  return ownerOf(root, objects[0]?.key ?? '') === ownerOf(root, objects.at(-1)?.key ?? '');
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
