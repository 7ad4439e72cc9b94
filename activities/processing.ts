/** The activities of `processFiles`. Each may run again after a crash at any line. */
import { BillingError } from '../domain/errors.ts';
import { refuseOtherJob } from '../domain/processing.ts';
import type { ProcessingRequest, ProcessingStatus } from '../domain/processing.ts';
import type { DeliveryState } from '../domain/usage.ts';
import type { Dependencies } from './dependencies.ts';
import { processChunk } from './process-chunk.ts';
import type { ChunkOrder } from './process-chunk.ts';
import { removeProcessingOutputs } from './remove-outputs.ts';

interface JobRef {
  processingId: string;
  customerId: string;
}

export function createProcessingActivities(deps: Dependencies) {
  const isoNow = () => deps.now().toISOString();

  /** Writes the job's row once. The list of files is kept as its digest, and is not answered. */
  async function beginProcessing(
    asked: ProcessingRequest,
  ): Promise<{ status: ProcessingStatus; totalBytes: number }> {
    const { processingId, customerId, files } = asked;
    const filesDigest = deps.digestFiles(files);
    const job = { processingId, customerId, fileCount: files.length, filesDigest };
    const row = await deps.processings.begin(job, isoNow());
    refuseOtherJob(processingId, row, job);
    return { status: row.status, totalBytes: row.totalBytes ?? 0 };
  }

  /**
   * Marks the job completed, writes its one usage record and announces it. The completion time comes
   * from the row, so a second run after a crash offers the ledger the same facts.
   */
  async function completeProcessing(
    job: JobRef & { totalBytes: number },
  ): Promise<{ delivery: DeliveryState }> {
    const row = await deps.processings.complete(job.processingId, job.totalBytes, isoNow());
    if (row?.completedAt === undefined || row.totalBytes === undefined) {
      throw new BillingError('conflict', `processing ${job.processingId} is not under way`);
    }
    const usage = await deps.ledger.record(
      {
        identifier: job.processingId,
        customerId: row.customerId,
        meter: 'file_processed',
        quantity: String(row.totalBytes),
        occurredAt: row.completedAt,
        source: { kind: 'processing', id: job.processingId },
      },
      isoNow(),
    );
    const waits = usage.state === 'pending' || usage.state === 'sending';
    if (waits) await deps.signals.announceUsage(usage);
    return { delivery: usage.state };
  }

  /** Marks the job failed, unless it had completed. */
  async function failProcessing(job: JobRef & { error: string }): Promise<void> {
    await deps.processings.fail(job.processingId, job.error, isoNow());
    deps.logger.warn({ ...job }, 'processing failed');
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
  };
}
