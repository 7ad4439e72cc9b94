/** Processes one chunk of a job: its files a few at a time, all of them or none. */
import { Context } from '@temporalio/activity';
import { inputKey } from '../domain/files.ts';
import { addBytes } from '../domain/processing.ts';
import type { FileVersion } from '../domain/casts.ts';
import type { FileResult } from '../domain/processing.ts';
import type { Dependencies } from './dependencies.ts';
import { permanent } from './failures.ts';
import { withHeartbeat } from './heartbeat.ts';
import { connectionsPerFile, processFile } from './process-file.ts';
import { removeProcessingOutputs } from './remove-outputs.ts';

/** Files of one chunk read at the same time. */
const filesAtOnce = 4;
/** To the objects, of one chunk (FM15). */
export const connectionsPerChunk = filesAtOnce * connectionsPerFile;

export interface ChunkOrder {
  processingId: string;
  customerId: string;
  chunk: number;
  /** Relative to the customer's input prefix. */
  files: string[];
  /** Where bytes are priced: what each file was then. */
  versions?: Record<string, FileVersion>;
}

/** Where a chunk stands; the successor of a killed worker goes on from it. */
interface ChunkPosition {
  results: FileResult[];
  /** Bytes read of the files under way, by key. */
  reading: Record<string, number>;
}

/** Runs inside an activity: its heartbeat tells where it stands, and it stops when it is cancelled. */
export async function processChunk(
  deps: Dependencies,
  order: ChunkOrder,
): Promise<{ files: number; bytes: number }> {
  const position = trackPosition();
  return await withHeartbeat(async (cancelled) => {
    const remaining = order.files.filter((file) => !position.has(inputKey(order.customerId, file)));
    try {
      await processFiles(deps, { ...order, files: remaining }, position, cancelled);
    } finally {
      await refuseUndone(deps, order);
    }
    const results = position.results();
    await deps.processings.saveResults(order.processingId, order.chunk, results);
    const bytes = results.reduce((total, result) => addBytes(total, result.bytes), 0);
    return { files: results.length, bytes };
  }, position.details);
}

/**
 * An attempt that was believed dead may still write: the job may have failed meanwhile, and its outputs
 * have been removed. A job is marked as failed first, so either that removal sees what we wrote, or we see
 * the mark (FM13).
 */
async function refuseUndone(deps: Dependencies, order: ChunkOrder): Promise<void> {
  const { processingId, customerId } = order;
  const row = await deps.processings.get(processingId);
  if (row?.status !== 'failed') return;
  await removeProcessingOutputs(deps, customerId, processingId);
  throw permanent('Refused', `processing ${processingId} had failed before its files were written`);
}

/** A few at a time. The first that fails stops the others. */
async function processFiles(
  deps: Dependencies,
  order: ChunkOrder,
  position: Position,
  cancelled: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([cancelled, stop.signal]);
  const remaining = order.files.values();
  const { versions } = order;
  let failure: Error | undefined;
  const takeFiles = async (): Promise<void> => {
    for (const file of remaining) {
      if (signal.aborted) return;
      const key = inputKey(order.customerId, file);
      const version = versions?.[file];
      const named = { ...order, file, ...(version === undefined ? {} : { version }) };
      const result = await processFile(deps, named, signal, (bytes) => {
        position.reading(key, bytes);
      });
      position.done(result);
      deps.metrics.filesProcessed.inc();
      deps.metrics.bytesProcessed.inc(result.bytes);
    }
  };
  const stopAll = (error: unknown): void => {
    failure ??= error instanceof Error ? error : new Error('a file failed');
    stop.abort();
  };
  // All are waited for: nothing may still write when the job's outputs are removed.
  await Promise.all(
    Array.from({ length: filesAtOnce }, async () => await takeFiles().catch(stopAll)),
  );
  cancelled.throwIfAborted();
  if (failure !== undefined) throw failure;
}

type Position = ReturnType<typeof trackPosition>;

function trackPosition() {
  const earlier = Context.current().info.heartbeatDetails as ChunkPosition | undefined;
  const finished = new Map(earlier?.results.map((result) => [result.key, result]));
  const underWay = new Map<string, number>();
  return {
    has: (key: string): boolean => finished.has(key),
    reading: (key: string, bytes: number): void => {
      underWay.set(key, bytes);
    },
    done: (result: FileResult): void => {
      underWay.delete(result.key);
      finished.set(result.key, result);
    },
    details: (): ChunkPosition => ({
      results: [...finished.values()],
      reading: Object.fromEntries(underWay),
    }),
    results: (): FileResult[] =>
      [...finished.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1)),
  };
}
