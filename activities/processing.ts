/** The activities of `processFiles`. Each may run again after a crash at any line. */
import { costOf } from '../domain/casts.ts';
import type { Cast } from '../domain/casts.ts';
import { BillingError } from '../domain/errors.ts';
import { deadLetterId } from '../domain/ids.ts';
import { refuseOtherJob } from '../domain/processing.ts';
import type { ProcessingRequest, ProcessingStatus } from '../domain/processing.ts';
import type { DeliveryState, Usage, UsageRecord } from '../domain/usage.ts';
import { openDeadLetter } from './dead-letter.ts';
import type { Dependencies } from './dependencies.ts';
import { processChunk } from './process-chunk.ts';
import type { ChunkOrder } from './process-chunk.ts';
import { removeProcessingOutputs } from './remove-outputs.ts';
import { repairReservations, reserveLate, settleCast } from './reservations.ts';

interface JobRef {
  processingId: string;
  customerId: string;
  cast?: Cast;
}

export function createProcessingActivities(deps: Dependencies) {
  const isoNow = () => deps.now().toISOString();

  /** Writes the job's row once. The list of files is kept as its digest, and is not answered. */
  async function beginProcessing(
    asked: ProcessingRequest,
  ): Promise<{ status: ProcessingStatus; totalBytes: number }> {
    const { processingId, customerId, files, cast } = asked;
    const filesDigest = deps.digestFiles(files);
    const job = {
      processingId,
      customerId,
      fileCount: files.length,
      filesDigest,
      ...(cast === undefined ? {} : { reservedCents: cast.cents, castToken: cast.token }),
    };
    const row = await deps.processings.begin(job, isoNow());
    refuseOtherJob(processingId, row, job);
    if (cast?.outage === true && row.status === 'in_progress')
      await reserveLate(deps, { ...job, cast });
    return { status: row.status, totalBytes: row.totalBytes ?? 0 };
  }

  /**
   * Marks the job completed, writes its one usage record and announces it. The completion time comes
   * from the row, so a second run after a crash offers the ledger the same facts. What the ledger refuses
   * is a dead letter at once: a completed job is never without its usage unseen (FM17).
   */
  async function completeProcessing(
    job: JobRef & { totalBytes: number },
  ): Promise<{ delivery: DeliveryState }> {
    const { cast } = job;
    const costCents = cast === undefined ? undefined : costOf(cast, job.totalBytes);
    const row = await deps.processings.complete(
      job.processingId,
      job.totalBytes,
      isoNow(),
      costCents,
    );
    if (row?.completedAt === undefined || row.totalBytes === undefined) {
      throw new BillingError('conflict', `processing ${job.processingId} is not under way`);
    }
    const usage: Usage = {
      identifier: job.processingId,
      customerId: row.customerId,
      meter: 'file_processed',
      quantity: String(row.totalBytes),
      occurredAt: row.completedAt,
      source: { kind: 'processing', id: job.processingId },
    };
    let record: UsageRecord;
    try {
      record = await deps.ledger.record(usage, isoNow());
    } catch (error) {
      if (!(error instanceof BillingError)) throw error;
      await layAsideUnrecorded(deps, usage, error.message);
      await settleCast(deps, job, row.costCents ?? 0);
      return { delivery: 'rejected' };
    }
    const waits = record.state === 'pending' || record.state === 'sending';
    await settleCast(deps, job, row.costCents ?? 0);
    if (waits) await deps.signals.announceUsage(record);
    return { delivery: record.state };
  }

  /** Marks the job failed, unless it had completed. */
  async function failProcessing(job: JobRef & { error: string }): Promise<void> {
    const row = await deps.processings.fail(job.processingId, job.error, isoNow());
    // One that had completed stays so, and its cast is settled by that.
    if (row?.status !== 'completed') await settleCast(deps, job, 0);
    const { processingId, customerId, error } = job;
    deps.logger.warn({ processingId, customerId, error }, 'processing failed');
  }

  async function removeOutputs(job: JobRef): Promise<{ removed: number }> {
    const removed = await removeProcessingOutputs(deps, job.customerId, job.processingId);
    return { removed };
  }

  return {
    beginProcessing,
    processChunk: async (order: ChunkOrder) => await processChunk(deps, order),
    completeProcessing,
    failProcessing,
    removeOutputs,
    repairReservations: async () => await repairReservations(deps),
  };
}

async function layAsideUnrecorded(
  deps: Dependencies,
  { source: _source, ...usage }: Usage,
  error: string,
): Promise<void> {
  const { identifier } = usage;
  await openDeadLetter(deps, {
    id: deadLetterId('usage-unrecorded', identifier),
    kind: 'usage-unrecorded',
    subject: { identifier },
    customerId: usage.customerId,
    error,
    attempts: 1,
    record: usage,
  });
  await deps.processings.noteDeliveryError(identifier, error, deps.now().toISOString());
  deps.logger.error({ ...usage, reason: error }, 'a completed processing is not in the ledger');
}
