/** Submitting a processing, for the command line and the API alike. */
import { refuseOtherJob } from '../domain/processing.ts';
import type { ProcessingRequest } from '../domain/processing.ts';
import type { Engine } from '../engine/engine.ts';
import { digestFiles } from '../platform/files-digest.ts';
import type { ProcessingHistory } from '../tables/processing-history.ts';

export interface SubmitDependencies {
  processings: Pick<ProcessingHistory, 'get'>;
  /** Not asked for a job that has ended. */
  engine: () => Promise<Pick<Engine, 'startProcessing' | 'readStartedRequest'>>;
}

/**
 * False when the same job was submitted before; BillingError `conflict` when another one was, under its
 * id (FM1). Before a worker has written the row, the workflow's own input tells what the id stands for.
 */
export async function submitOnce(
  deps: SubmitDependencies,
  order: ProcessingRequest,
): Promise<boolean> {
  const { processingId } = order;
  const asked = factsOf(order);
  const row = await deps.processings.get(processingId);
  if (row !== undefined) {
    refuseOtherJob(processingId, row, asked);
    // It has ended; Temporal may have forgotten it and would run it once more.
    if (row.status !== 'in_progress') return false;
  }
  const engine = await deps.engine();
  const { started } = await engine.startProcessing(order);
  if (row !== undefined) return false;
  if (started) return true;
  const before = await engine.readStartedRequest(processingId);
  if (before !== undefined) refuseOtherJob(processingId, factsOf(before), asked);
  return false;
}

function factsOf({ customerId, files }: ProcessingRequest) {
  return { customerId, filesDigest: digestFiles(files) };
}
