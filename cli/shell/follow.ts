/** Waits for a workflow to end, and shows how far it is. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Engine } from '../../engine/engine.ts';
import { describeFailure } from './failures.ts';
import { note } from './perform.ts';
import { createProgressLine } from './progress-line.ts';

const firstPauseMs = 100;
const longestPauseMs = 1000;
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
export async function follow(engine: Engine, followed: Followed): Promise<void> {
  const { workflowId, goesOn, progress } = followed;
  await withProgressLine(goesOn, async (show) => {
    await untilClosed(engine, workflowId, { progress, show });
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

/** True once it has ended; false when patience did. */
export async function untilClosed(
  engine: Pick<Engine, 'isRunning'>,
  workflowId: string,
  { progress, show }: { progress: () => Promise<string>; show: (text: string) => void },
  patienceMs = Infinity,
): Promise<boolean> {
  const beganMs = Date.now();
  let pauseMs = firstPauseMs;
  let outageSinceMs: number | undefined;
  while (Date.now() - beganMs < patienceMs) {
    try {
      if (!(await engine.isRunning(workflowId))) return true;
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
