/** The activities of `aggregateStorage`: which customers there are, and what each of them stores. */
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Context } from '@temporalio/activity';
import pLimit from 'p-limit';
import { BillingError } from '../domain/errors.ts';
import { customersKey, customersPerChunk } from '../domain/files.ts';
import { deadLetterId, parseCustomerId } from '../domain/ids.ts';
import { dayOf } from '../domain/period.ts';
import type { Customer } from '../tables/customers.ts';
import { openDeadLetter } from './dead-letter.ts';
import type { Dependencies } from './dependencies.ts';
import { withHeartbeat } from './heartbeat.ts';
import {
  addTallies,
  measureEach,
  measureStoreOf,
  measureTogether,
  nothingCounted,
} from './measure-storage.ts';
import type { ChunkTally, Failed } from './measure-storage.ts';
import { nameSkippedNights } from './skipped-nights.ts';

/** Customers of one flat walk; a chunk has as many walks side by side as may be listed at once. */
const customersPerWalk = 100;

export interface DayRun {
  day: string;
  /** Of this run: where its list of customers lies. */
  runKey: string;
}

/** Where a chunk stands: walks done, with what they came to. */
interface ChunkPosition {
  done: number[];
  tally: ChunkTally;
}

/**
 * Writes down every customer of the table, sorted, in chunks that the run goes through: all of them
 * see the same customers, in an order that one flat listing can follow. A row that cannot be read is laid
 * aside here, `failed` counts them: it stops nobody else's night (SB19).
 */
export async function planDay(
  deps: Dependencies,
  run: DayRun & { scheduled?: boolean },
): Promise<{ chunks: number; customers: number; failed: number }> {
  return await withHeartbeat(async (cancelled) => {
    // One by hand is no sign that the nights between were meant to be measured.
    if (run.scheduled === true) await nameSkippedNights(deps, run.day);
    const ids: string[] = [];
    let failed = 0;
    for await (const row of deps.customers.list()) {
      cancelled.throwIfAborted();
      const { customerId } = row;
      const reason = 'problem' in row ? row.problem : refusedId(customerId);
      if (reason !== undefined) {
        failed += 1;
        await layAsideDay(deps, { day: run.day, failed: [{ customerId, reason }] });
      } else if (!('problem' in row) && isMeasured(row.customer, run.day)) ids.push(customerId);
    }
    ids.sort();
    const chunks = Math.ceil(ids.length / customersPerChunk);
    for (let chunk = 0; chunk < chunks; chunk += 1) {
      const part = ids.slice(chunk * customersPerChunk, (chunk + 1) * customersPerChunk);
      const Key = customersKey(run.day, run.runKey, chunk);
      await deps.s3.send(
        new PutObjectCommand({ Bucket: deps.bucket, Key, Body: JSON.stringify(part) }),
      );
    }
    return { chunks, customers: ids.length, failed };
  });
}

/**
 * Who is gone at Stripe can be billed no more: the month of the deletion is a dead letter, and without
 * days there is no bill after it (WH21).
 */
function isMeasured({ deletedAt }: Customer, day: string): boolean {
  return deletedAt === undefined || day <= dayOf(Date.parse(deletedAt));
}

/** Keys are built from it: an id with a `/` would be measured with another's objects. */
function refusedId(customerId: string): string | undefined {
  try {
    parseCustomerId(customerId);
    return undefined;
  } catch (error) {
    if (error instanceof BillingError) return error.message;
    throw error;
  }
}

/** Lists a chunk's customers and writes their rows; goes on from its heartbeat after a crash. */
export async function aggregateChunk(
  deps: Dependencies,
  run: DayRun & { chunk: number },
): Promise<ChunkTally> {
  const earlier = Context.current().info.heartbeatDetails as ChunkPosition | undefined;
  const position: ChunkPosition = earlier ?? { done: [], tally: nothingCounted };
  await withHeartbeat(
    async (cancelled) => await walkChunk(deps, run, position, cancelled),
    () => position,
  );
  return position.tally;
}

/** Walks what `position` does not know as done, and notes it there. */
async function walkChunk(
  deps: Dependencies,
  run: DayRun & { chunk: number },
  position: ChunkPosition,
  cancelled: AbortSignal,
): Promise<void> {
  const ids = await readChunk(deps, run);
  const walks = Array.from({ length: Math.ceil(ids.length / customersPerWalk) }, (_, walk) => walk);
  const abort = new AbortController();
  const signal = AbortSignal.any([cancelled, abort.signal]);
  const walkers = pLimit(deps.listingsAtOnce);
  try {
    await Promise.all(
      walks
        .filter((walk) => !position.done.includes(walk))
        .map((walk) =>
          walkers(async () => {
            const part = ids.slice(walk * customersPerWalk, (walk + 1) * customersPerWalk);
            const tally = await measureTogether(deps, measureStoreOf(deps), run.day, part, signal);
            position.tally = addTallies(position.tally, tally);
            position.done.push(walk);
          }),
        ),
    );
  } catch (error) {
    walkers.clearQueue();
    abort.abort();
    throw error;
  }
}

/** The same for customers whose listing failed before, each by its own prefixes. */
export async function aggregateCustomers(
  deps: Dependencies,
  order: { day: string; customerIds: string[] },
): Promise<ChunkTally> {
  return await withHeartbeat(
    async (cancelled) =>
      await measureEach(deps, measureStoreOf(deps), order.day, order.customerIds, cancelled),
  );
}

/** The run's lists are of no use once it has ended. */
export async function forgetPlan(
  deps: Dependencies,
  run: DayRun & { chunks: number },
): Promise<void> {
  await withHeartbeat(async () => {
    for (let chunk = 0; chunk < run.chunks; chunk += 1) {
      const Key = customersKey(run.day, run.runKey, chunk);
      await deps.s3.send(new DeleteObjectCommand({ Bucket: deps.bucket, Key }));
    }
  });
}

/** A customer that could not be listed is named to a person; its day has no row (SB5). */
export async function layAsideDay(
  deps: Dependencies,
  order: { day: string; failed: Failed[] },
): Promise<void> {
  for (const { customerId, reason } of order.failed) {
    await openDeadLetter(deps, {
      id: deadLetterId('storage-day', customerId, order.day),
      kind: 'storage-day',
      subject: { day: order.day },
      customerId,
      error: reason,
      attempts: 1,
      record: { day: order.day },
    });
    deps.logger.error({ customerId, day: order.day, reason }, 'storage could not be listed');
  }
}

async function readChunk(deps: Dependencies, run: DayRun & { chunk: number }): Promise<string[]> {
  const Key = customersKey(run.day, run.runKey, run.chunk);
  const answer = await deps.s3.send(new GetObjectCommand({ Bucket: deps.bucket, Key }));
  const ids: unknown = JSON.parse((await answer.Body?.transformToString()) ?? '[]');
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) {
    throw new Error(`${Key} is not a list of customers`);
  }
  return ids;
}
