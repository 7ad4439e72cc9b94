/** Waits for a processing to end, and shows how far it is. */
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { BillingError } from '../domain/errors.ts';
import { workflowIds } from '../domain/ids.ts';
import type { Context } from './context.ts';
import { describeFailure } from './failures.ts';
import { note } from './perform.ts';
import type { Answer } from './perform.ts';
import {
  describeProcessing,
  describeProgress,
  queryProgress,
  viewProcessing,
} from './process-show.ts';
import { createProgressLine } from './progress-line.ts';

const firstPauseMs = 100;
const longestPauseMs = 1000;
const describePatienceMs = 5000;
/** Temporal or the worker may be restarted meanwhile. */
const outagePatienceMs = 60_000;

/** Its files and its delivery once the workflow has ended; `failed` with the reason when the job did. */
export async function waitForProcessing(context: Context, processingId: string): Promise<Answer> {
  const client = await context.temporal();
  const line = createProgressLine();
  const onInterrupt = (): void => {
    line.end();
    note(`The job goes on: durabill process show ${processingId}`);
    process.exit(130);
  };
  process.once('SIGINT', onInterrupt);
  try {
    await untilClosed(client, processingId, line.show);
  } finally {
    line.end();
    process.off('SIGINT', onInterrupt);
  }
  const { processings } = await context.tables();
  const processing = await processings.get(processingId);
  if (processing === undefined) {
    const reason = 'its workflow ended before it began: look at it in the Temporal UI';
    throw new BillingError('conflict', `processing ${processingId} failed: ${reason}`);
  }
  const view = await viewProcessing(context, processing);
  const answer = { json: view, text: describeProcessing(view) };
  if (processing.status === 'completed') return answer;
  const reason = processing.errorMessage ?? 'its workflow was ended from outside';
  return { ...answer, failed: `processing ${processingId} failed: ${reason}` };
}

async function untilClosed(
  client: Client,
  processingId: string,
  show: (text: string) => void,
): Promise<void> {
  let pauseMs = firstPauseMs;
  let outageSinceMs: number | undefined;
  for (;;) {
    try {
      if (!(await isRunning(client, processingId))) return;
      outageSinceMs = undefined;
      show(await progressText(client, processingId));
    } catch (error) {
      outageSinceMs ??= Date.now();
      if (Date.now() - outageSinceMs > outagePatienceMs) throw error;
      show(`waiting: ${describeFailure(error).message}`);
    }
    await delay(pauseMs);
    pauseMs = Math.min(longestPauseMs, pauseMs * 1.5);
  }
}

async function isRunning(client: Client, processingId: string): Promise<boolean> {
  const handle = client.workflow.getHandle(workflowIds.processFiles(processingId));
  try {
    const { status } = await client.withDeadline(
      Date.now() + describePatienceMs,
      async () => await handle.describe(),
    );
    return status.name === 'RUNNING';
  } catch (error) {
    // Ended so long ago that Temporal has forgotten it; the row has not.
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** A query that nobody answers is a missing worker, not an outage. */
async function progressText(client: Client, processingId: string): Promise<string> {
  try {
    return describeProgress(await queryProgress(client, processingId));
  } catch {
    return 'waiting for a worker to take it up';
  }
}
