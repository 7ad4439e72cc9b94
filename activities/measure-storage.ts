/** Measures customers for a day and writes their rows; a customer that cannot be listed gets none. */
import { HeadBucketCommand } from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import type { LimitFunction } from 'p-limit';
import { inputRoot, outputRoot } from '../domain/files.ts';
import { nothingStored, snapshotOf } from '../domain/storage.ts';
import type { Snapshot, StorageCount } from '../domain/storage.ts';
import type { Dependencies } from './dependencies.ts';
import { countFlat, countPrefix } from './list-storage.ts';
import type { ObjectStore } from './list-objects.ts';
import { repeatThrottled } from './throttling.ts';

export interface Failed {
  customerId: string;
  reason: string;
}

export interface ChunkTally {
  customers: number;
  /** Digits. */
  bytes: string;
  files: number;
  failed: Failed[];
}

export const nothingCounted: ChunkTally = { customers: 0, bytes: '0', files: 0, failed: [] };

export function addTallies(one: ChunkTally, other: ChunkTally): ChunkTally {
  return {
    customers: one.customers + other.customers,
    bytes: String(BigInt(one.bytes) + BigInt(other.bytes)),
    files: one.files + other.files,
    failed: [...one.failed, ...other.failed],
  };
}

/** What one process lists and writes with, whatever number of runs there are (SB6, FM15). */
export interface MeasureStore extends ObjectStore {
  /** Rows written at once. A row waits here as two numbers, and not as a request in the client's queue. */
  writes: LimitFunction;
}

const stores = new WeakMap<Dependencies, MeasureStore>();

/** The one of these dependencies, whoever asks. */
export function measureStoreOf(deps: Dependencies): MeasureStore {
  const known = stores.get(deps);
  if (known !== undefined) return known;
  const { s3, bucket, listingsAtOnce } = deps;
  const store = { s3, bucket, limit: pLimit(listingsAtOnce), writes: pLimit(listingsAtOnce) };
  stores.set(deps, store);
  return store;
}

/**
 * One flat walk; when it fails, each of its customers by itself, so that one bad prefix names its
 * customer. When the bucket itself does not answer nobody is to blame, and all of it is tried again.
 */
export async function measureTogether(
  deps: Dependencies,
  store: MeasureStore,
  day: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<ChunkTally> {
  let counts: [Map<string, StorageCount>, Map<string, StorageCount>];
  try {
    counts = await Promise.all([
      countFlat(store, inputRoot, ids, signal),
      countFlat(store, outputRoot, ids, signal),
    ]);
  } catch (error) {
    if (signal.aborted) throw error;
    await askForBucket(store);
    return await measureEach(deps, store, day, ids, signal);
  }
  const [inputs, outputs] = counts;
  const write = async (id: string): Promise<ChunkTally> => {
    const row = snapshotOf(
      id,
      day,
      inputs.get(id) ?? nothingStored,
      outputs.get(id) ?? nothingStored,
    );
    return await writeRow(deps, store, row, signal);
  };
  return await together(ids.map(write));
}

/** Each customer by its own prefixes. */
export async function measureEach(
  deps: Dependencies,
  store: MeasureStore,
  day: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<ChunkTally> {
  const one = async (id: string): Promise<ChunkTally> => {
    let counts: [StorageCount, StorageCount];
    try {
      counts = [
        await countPrefix(store, `${inputRoot}${id}/`, signal),
        await countPrefix(store, `${outputRoot}${id}/`, signal),
      ];
    } catch (error) {
      if (signal.aborted) throw error;
      await askForBucket(store);
      return failedBy(id, error);
    }
    return await writeRow(deps, store, snapshotOf(id, day, ...counts), signal);
  };
  const atOnce = pLimit(deps.listingsAtOnce);
  return await together(ids.map(async (id) => await atOnce(one, id)));
}

/** Throws when the bucket itself does not answer. */
async function askForBucket({ s3, bucket, limit }: MeasureStore): Promise<void> {
  await limit(async () => await s3.send(new HeadBucketCommand({ Bucket: bucket })));
}

/** All are waited for, also when one fails: nothing may still write when the walk is tried again. */
async function together(measured: readonly Promise<ChunkTally>[]): Promise<ChunkTally> {
  const settled = await Promise.allSettled(measured);
  const failure = settled.find(({ status }) => status === 'rejected');
  if (failure?.status === 'rejected') throw failure.reason;
  return settled.reduce(
    (sum, one) => (one.status === 'fulfilled' ? addTallies(sum, one.value) : sum),
    nothingCounted,
  );
}

function failedBy(customerId: string, error: unknown): ChunkTally {
  const reason = error instanceof Error ? error.message : 'an unknown error';
  return { ...nothingCounted, failed: [{ customerId, reason: reason.slice(0, 300) }] };
}

/**
 * A row that the table refuses for what it holds is its customer's failure, one that was refused as one
 * too many is repeated by itself (SB19). When the table is down nobody is to blame, and all is tried again.
 */
async function writeRow(
  deps: Dependencies,
  { writes }: MeasureStore,
  row: Snapshot,
  signal: AbortSignal,
): Promise<ChunkTally> {
  const put = async () => await deps.storageDaily.put(row, deps.now().toISOString());
  try {
    await writes(async () => {
      signal.throwIfAborted();
      await repeatThrottled(put, signal);
    });
  } catch (error) {
    const isItsOwn = error instanceof Error && error.name === 'ValidationException';
    if (signal.aborted || !isItsOwn) throw error;
    return failedBy(row.customerId, error);
  }
  deps.metrics.storageCustomers.inc();
  const { totalStorageBytes, totalFileCount } = row;
  return { customers: 1, bytes: totalStorageBytes, files: totalFileCount, failed: [] };
}
