/**
 * One job: its files are processed, its bytes recorded as usage once, and the usage delivered. What
 * fails before completion is undone and metered nowhere; what fails after it is the delivery's to mend.
 */
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { hasLapsed } from '../domain/casts.ts';
import { addBytes } from '../domain/processing.ts';
import type {
  ProcessingOutcome,
  ProcessingProgress,
  ProcessingRequest,
} from '../domain/processing.ts';
import { chunkFiles, parseProcessing, versionsOf } from '../domain/files.ts';
import { queryNames, searchAttributes, signalNames } from '../domain/temporal-names.ts';
import type { DeliveryState, UsageSettled } from '../domain/usage.ts';
import type { ProgressOf, SignalArgs } from '../engine/contract.ts';
import { fileActivities, removalActivities } from './activity-options.ts';
import { asFailure, reasonOf, refuseInvalid } from './failures.ts';
import { lastingWrite } from './lasting-write.ts';

/** Chunks of one job under way at the same time, over all workers. */
const chunksAtOnce = 4;
/** How long the job stays open to tell how its delivery went; the delivery itself has no such limit. */
const deliveryPatience = '1 hour';

const progressQuery = defineQuery<ProgressOf<'processFiles'>>(queryNames.progress);
const usageSettled = defineSignal<SignalArgs<'processFiles', 'usageSettled'>>(
  signalNames.usageSettled,
);
const totalBytesKey = { name: 'TotalBytes', type: searchAttributes.TotalBytes } as const;

export async function processFiles(order: ProcessingRequest): Promise<ProcessingOutcome> {
  // Anyone may start a workflow. Checked here and not in an activity, whose answer would be the list once more.
  const request = refuseInvalid(() => parseProcessing(order));
  const { processingId } = request;
  const progress: ProcessingProgress = {
    step: 'starting',
    fileCount: request.files.length,
    filesDone: 0,
    bytesDone: 0,
  };
  let settled: UsageSettled | undefined;
  setHandler(progressQuery, () => progress);
  setHandler(usageSettled, (told) => {
    settled = told;
  });

  const begun = await CancellationScope.nonCancellable(async () => await begin(request));
  if (begun.status === 'failed') {
    throw ApplicationFailure.nonRetryable(`processing ${processingId} failed before`, 'Refused');
  }
  if (begun.status === 'in_progress') {
    progress.step = 'processing';
    try {
      await processAll(request, progress);
    } catch (error) {
      progress.step = 'undoing';
      await undo(request, reasonOf(error));
      throw asFailure(error);
    }
  } else {
    progress.bytesDone = begun.totalBytes;
    progress.filesDone = request.files.length;
  }

  progress.step = 'recording';
  upsertSearchAttributes([{ key: totalBytesKey, value: progress.bytesDone }]);
  const job = { ...refOf(request), totalBytes: progress.bytesDone };
  // Its bytes are read and written: from here on a cancellation comes too late.
  const { delivery } = await CancellationScope.nonCancellable(
    async () => await lastingWrite(async ({ completeProcessing }) => await completeProcessing(job)),
  );

  progress.step = 'delivering';
  if (delivery === 'pending' || delivery === 'sending') {
    await told(() => settled !== undefined);
  }
  progress.step = 'done';
  return outcome(request, progress, delivery, settled);
}

async function processAll(request: ProcessingRequest, progress: ProcessingProgress): Promise<void> {
  const { processingId, customerId, files } = request;
  const chunks = chunkFiles(files).entries();
  const scope = new CancellationScope();
  await scope.run(async () => {
    const takeChunks = async (): Promise<void> => {
      for (const [chunk, names] of chunks) {
        const versions = versionsOf(request, names);
        const order = {
          processingId,
          customerId,
          chunk,
          files: names,
          ...(versions === undefined ? {} : { versions }),
        };
        const done = await fileActivities().processChunk(order);
        progress.filesDone += done.files;
        progress.bytesDone = addBytes(progress.bytesDone, done.bytes);
      }
    };
    let failure: Error | undefined;
    // The first failure stops the others, which are waited for: nothing may write while we undo.
    const stop = (error: unknown): void => {
      failure ??= error instanceof Error ? error : new Error('a chunk failed');
      scope.cancel();
    };
    const takers = Array.from({ length: chunksAtOnce }, async () => await takeChunks().catch(stop));
    await CancellationScope.nonCancellable(async () => await Promise.all(takers));
    if (failure !== undefined) throw failure;
  });
}

async function undo(request: ProcessingRequest, error: string): Promise<void> {
  const { processingId, customerId } = request;
  await CancellationScope.nonCancellable(async () => {
    // The mark first: an attempt that was believed dead sees it, or its outputs are seen here (FM13).
    const failed = { ...refOf(request), error };
    await lastingWrite(async ({ failProcessing }) => {
      await failProcessing(failed);
    });
    await removalActivities().removeOutputs({ processingId, customerId });
  });
}

/** One that is begun long after its cents were set aside does nothing: they may be given back by then. */
async function begin(request: ProcessingRequest) {
  const begun = await lastingWrite(async ({ beginProcessing }) => await beginProcessing(request));
  const { cast } = request;
  const late = cast !== undefined && hasLapsed(cast, workflowInfo().runStartTime);
  if (!late || begun.status !== 'in_progress') return begun;
  const error = 'it was started too late: cast it again';
  await lastingWrite(async ({ failProcessing }) => {
    await failProcessing({ ...refOf(request), error });
  });
  return { ...begun, status: 'failed' as const };
}

function refOf({ processingId, customerId, cast }: ProcessingRequest) {
  return { processingId, customerId, ...(cast === undefined ? {} : { cast }) };
}

/** Waits to hear of the delivery; a cancellation only ends the waiting. */
async function told(heard: () => boolean): Promise<void> {
  try {
    await condition(heard, deliveryPatience);
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
}

function outcome(
  request: ProcessingRequest,
  progress: ProcessingProgress,
  recorded: DeliveryState,
  settled: UsageSettled | undefined,
): ProcessingOutcome {
  return {
    processingId: request.processingId,
    status: 'completed',
    fileCount: request.files.length,
    totalBytes: progress.bytesDone,
    delivery: settled?.state ?? recorded,
    ...(settled?.error === undefined ? {} : { deliveryError: settled.error }),
  };
}
