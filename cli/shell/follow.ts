/** Waits for a workflow to end, and shows how far it is. */
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { queryNames } from '../../engine/contract.ts';
import { describeFailure } from './failures.ts';
import { note } from './perform.ts';
import { createProgressLine } from './progress-line.ts';

const firstPauseMs = 100;
const longestPauseMs = 1000;
const describePatienceMs = 5000;
/** Fetching the result of what has ended. */
const resultPatienceMs = 10_000;
/** A query needs a worker; without one it is not waited for. */
const queryPatienceMs = 3000;
/** Temporal or the worker may be restarted meanwhile. */
const outagePatienceMs = 60_000;

export interface Followed {
  workflowId: string;
  /** Said after Ctrl-C: the work goes on without us. */
  goesOn: string;
  /** One line; it may throw while no worker answers. */
  progress: () => Promise<string>;
}

/** Returns once it has ended. Ctrl-C ends us (130) and not the work. */
export async function follow(client: Client, followed: Followed): Promise<void> {
  const { workflowId, goesOn, progress } = followed;
  await withProgressLine(goesOn, async (show) => {
    await untilClosed(client, workflowId, { progress, show });
  });
}

/** Shows progress while something is waited for; Ctrl-C says what goes on without us. */
export async function withProgressLine<T>(
  goesOn: string,
  wait: (show: (text: string) => void) => Promise<T>,
): Promise<T> {
  const line = createProgressLine();
  const onInterrupt = (): void => {
    line.end();
    note(goesOn);
    process.exit(130);
  };
  process.once('SIGINT', onInterrupt);
  try {
    return await wait(line.show);
  } finally {
    line.end();
    process.off('SIGINT', onInterrupt);
  }
}

/** What the workflow itself says of its progress. */
export async function askProgress<Progress>(client: Client, workflowId: string): Promise<Progress> {
  const handle = client.workflow.getHandle(workflowId);
  return await client.withDeadline(
    Date.now() + queryPatienceMs,
    async () => await handle.query<Progress>(queryNames.progress),
  );
}

/** How a workflow that has ended came out: its result, or why it failed. */
export async function outcomeOf<Result>(
  client: Client,
  workflowId: string,
): Promise<{ result: Result } | { failure: string }> {
  try {
    const result: unknown = await client.withDeadline(
      Date.now() + resultPatienceMs,
      async (): Promise<unknown> => await client.workflow.getHandle(workflowId).result(),
    );
    return { result: result as Result };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return { failure: rootCause(error.cause) ?? error.message };
  }
}

/** True once it has ended; false when patience did. */
export async function untilClosed(
  client: Client,
  workflowId: string,
  { progress, show }: { progress: () => Promise<string>; show: (text: string) => void },
  patienceMs = Infinity,
): Promise<boolean> {
  const beganMs = Date.now();
  let pauseMs = firstPauseMs;
  let outageSinceMs: number | undefined;
  while (Date.now() - beganMs < patienceMs) {
    try {
      if (!(await isRunning(client, workflowId))) return true;
      outageSinceMs = undefined;
      // A query that nobody answers is a missing worker, not an outage.
      show(await progress().catch(() => 'waiting for a worker to take it up'));
    } catch (error) {
      outageSinceMs ??= Date.now();
      if (Date.now() - outageSinceMs > outagePatienceMs) throw error;
      show(`waiting: ${describeFailure(error).message}`);
    }
    await delay(pauseMs);
    pauseMs = Math.min(longestPauseMs, pauseMs * 1.5);
  }
  return false;
}

export async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  const handle = client.workflow.getHandle(workflowId);
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
