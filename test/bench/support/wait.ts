import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { BenchmarkContext } from './benchmark.ts';

const saidEveryMs = 2000;

export interface Wait {
  /** "jobs to deliver" */
  what: string;
  everyMs: number;
  /** With no fewer left in so long, it is stuck. */
  stuckAfterMs: number;
  left: () => Promise<number>;
}

/** Asks until none is left, saying every two seconds how many are. Throws when nothing moves. */
export async function waitUntilNoneLeft(
  { signal, progress }: Pick<BenchmarkContext, 'signal' | 'progress'>,
  { what, everyMs, stuckAfterMs, left }: Wait,
): Promise<void> {
  let fewest = Infinity;
  let movedMs = performance.now();
  let saidMs = movedMs;
  for (;;) {
    const now = await left();
    if (now <= 0) return;
    const nowMs = performance.now();
    if (now < fewest) movedMs = nowMs;
    fewest = Math.min(fewest, now);
    if (nowMs - movedMs > stuckAfterMs) {
      throw new Error(`stuck for ${stuckAfterMs / 1000} s: ${now} ${what}`);
    }
    if (nowMs - saidMs > saidEveryMs) {
      saidMs = nowMs;
      progress(`  ${now} ${what}`);
    }
    await sleep(everyMs, undefined, { signal });
  }
}

/** Of a workflow that may take an hour; throws when it ends otherwise. */
export async function waitUntilCompleted(
  context: Pick<BenchmarkContext, 'signal' | 'progress'>,
  handle: WorkflowHandle,
): Promise<void> {
  await waitUntilNoneLeft(context, {
    what: `under way: ${handle.workflowId}`,
    everyMs: 100,
    stuckAfterMs: 3_600_000,
    left: async () => {
      const { status } = await handle.describe();
      if (status.name === 'COMPLETED') return 0;
      if (status.name === 'RUNNING') return 1;
      throw new Error(`${handle.workflowId} is ${status.name}`);
    },
  });
}
