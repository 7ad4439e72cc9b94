/** Measures customers for a day and writes their rows; a customer that cannot be listed gets none. */
import { HeadBucketCommand } from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { inputRoot, outputRoot } from '../domain/files.ts';
import { nothingStored, snapshotOf } from '../domain/storage.ts';
import type { StorageCount } from '../domain/storage.ts';
import type { Dependencies } from './dependencies.ts';
import { countFlat, countPrefix } from './list-storage.ts';
import type { ObjectStore } from './list-storage.ts';

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

export function createObjectStore(deps: Dependencies): ObjectStore {
  return { s3: deps.s3, bucket: deps.bucket, limit: pLimit(deps.listingsAtOnce) };
}

/**
 * One flat walk; when it fails, each of its customers by itself, so that one bad prefix names its
 * customer. When the bucket itself does not answer nobody is to blame, and all of it is tried again.
 */
export async function measureTogether(
  deps: Dependencies,
  store: ObjectStore,
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
    await deps.s3.send(new HeadBucketCommand({ Bucket: deps.bucket }));
    return await measureEach(deps, store, day, ids, signal);
  }
  const [inputs, outputs] = counts;
  // A row waits here as two numbers, and not as a signed request in the client's queue.
  const atOnce = pLimit(deps.listingsAtOnce);
  const write = async (id: string): Promise<ChunkTally> => {
    const [input, output] = [inputs.get(id), outputs.get(id)];
    return await writeRow(deps, day, id, input ?? nothingStored, output ?? nothingStored);
  };
  const tallies = await Promise.all(ids.map((id) => atOnce(write, id)));
  return tallies.reduce(addTallies, nothingCounted);
}

/** Each customer by its own prefixes. */
export async function measureEach(
  deps: Dependencies,
  store: ObjectStore,
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
      await deps.s3.send(new HeadBucketCommand({ Bucket: deps.bucket }));
      const reason = error instanceof Error ? error.message : 'an unknown error';
      return { ...nothingCounted, failed: [{ customerId: id, reason: reason.slice(0, 300) }] };
    }
    // Outside: when the table is down no customer is to blame, and all of it is tried again.
    return await writeRow(deps, day, id, ...counts);
  };
  const atOnce = pLimit(deps.listingsAtOnce);
  const tallies = await Promise.all(ids.map((id) => atOnce(one, id)));
  return tallies.reduce(addTallies, nothingCounted);
}

async function writeRow(
  deps: Dependencies,
  day: string,
  customerId: string,
  input: StorageCount,
  output: StorageCount,
): Promise<ChunkTally> {
  const snapshot = snapshotOf(customerId, day, input, output);
  await deps.storageDaily.put(snapshot, deps.now().toISOString());
  deps.metrics.storageCustomers.inc();
  const { totalStorageBytes, totalFileCount } = snapshot;
  return { customers: 1, bytes: totalStorageBytes, files: totalFileCount, failed: [] };
}
