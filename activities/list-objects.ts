/**
 * One page of a listing, and how to go on after it so that every object comes once, whatever its key (SB20).
 *
 * XML cannot carry every key: control characters are lost, CR and LF become one, and the SDK cuts characters
 * beyond U+FFFF that are written as references. So names are asked for URL-encoded and decoded here. A store
 * that ignores that (versitygw does) is gone on with by its token; when its token is only the last name
 * again, by the last name that is surely right: what follows it on the page is left to the next one.
 */
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { ListObjectsV2CommandOutput, S3Client } from '@aws-sdk/client-s3';
import type { LimitFunction } from 'p-limit';
import { repeatThrottled } from './throttling.ts';

export interface ObjectStore {
  s3: S3Client;
  bucket: string;
  /** Every call goes through it: it bounds how many run at once (SB6). */
  limit: LimitFunction;
}

export interface ListedObject {
  key: string;
  bytes: number;
}

/** Where a page begins: after a key, or where the store's token says. */
export type Place = { after: string } | { token: string };

export interface ListedPage {
  objects: ListedObject[];
  /** Undefined on the last page. */
  next?: Place;
  /** The last key, when it is surely right and more follows. */
  last?: string;
}

/** A page of at most 1,000 objects, in the order of their keys. */
export async function listObjects(
  store: ObjectStore,
  prefix: string,
  from: Place | undefined,
  signal: AbortSignal,
): Promise<ListedPage> {
  const command = new ListObjectsV2Command({
    Bucket: store.bucket,
    Prefix: prefix,
    EncodingType: 'url',
    ...(from === undefined
      ? {}
      : 'token' in from
        ? { ContinuationToken: from.token }
        : { StartAfter: from.after }),
  });
  const call = async () => await store.s3.send(command, { abortSignal: signal });
  const answer = await store.limit(async () => await repeatThrottled(call, signal));
  return readPage(answer, prefix, from);
}

/** Every object below a prefix, page after page, from a place on. */
export async function* allObjects(
  store: ObjectStore,
  prefix: string,
  signal: AbortSignal,
  start?: Place,
): AsyncGenerator<ListedObject[]> {
  let from = start;
  do {
    const page = await listObjects(store, prefix, from, signal);
    yield page.objects;
    from = page.next;
  } while (from !== undefined);
}

function readPage(
  answer: ListObjectsV2CommandOutput,
  prefix: string,
  from: Place | undefined,
): ListedPage {
  const isEncoded = answer.EncodingType === 'url';
  const listed = answer.Contents ?? [];
  const objects = listed.map(({ Key = '', Size = 0 }) => ({
    key: keyOf(answer, Key),
    bytes: Size,
  }));
  if (from !== undefined && 'after' in from && objects[0]?.key === from.after) {
    throw new Error(`the listing of ${prefix} repeats the key that it was to go on after`);
  }
  if (answer.IsTruncated !== true) return { objects };
  const isSure = (key: string): boolean => isEncoded || survivesXml(key);
  const last = objects.at(-1)?.key;
  const sure = last !== undefined && isSure(last) ? { last } : {};
  const token = answer.NextContinuationToken;
  // Some stores hand out the last name as their token: it went through the same XML.
  if (token !== undefined && token !== listed.at(-1)?.Key) {
    const stands = from !== undefined && 'token' in from && from.token === token;
    if (stands) throw new Error(`the listing of ${prefix} does not go on`);
    return { objects, next: { token }, ...sure };
  }
  const end = objects.findLastIndex(({ key }) => isSure(key));
  const after = objects[end]?.key;
  if (after === undefined) {
    const why = objects.length === 0 ? 'does not go on' : `holds keys that the store cannot say`;
    throw new Error(`the listing of ${prefix} ${why}`);
  }
  return { objects: objects.slice(0, end + 1), next: { after }, last: after };
}

/** A key of an answer that was asked for URL-encoded: as a form writes it, a space is a plus. */
export function keyOf(
  { EncodingType }: { EncodingType?: string | undefined },
  name: string,
): string {
  if (EncodingType !== 'url') return name;
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    throw new Error(`the store named a key that is not UTF-8: ${name.slice(0, 200)}`);
  }
}

/**
 * Whether a name that came raw is what the store meant: a replacement character stands for what was lost,
 * a line feed may have been a carriage return, and the private use area may be a cut character.
 */
function survivesXml(key: string): boolean {
  return !/[\p{Cc}\p{Cs}\p{Co}\p{Cn}\uFFFD]|\s$/u.test(key);
}
