import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchmarkContext } from './benchmark.ts';

const saidEveryMs = 2000;

export interface Wait {
  /** "jobs delivered" */
  what: string;
  total: number;
  everyMs: number;
  /** Without one more in so long, it is stuck. */
  stuckAfterMs: number;
  done: () => Promise<number>;
}

/** Asks until all are done, saying every two seconds how many are. Throws when nothing moves. */
export async function waitForAll(
  { signal, progress }: Pick<BenchmarkContext, 'signal' | 'progress'>,
  wait: Wait,
): Promise<void> {
  let reached = -1;
  let movedMs = performance.now();
  let saidMs = movedMs;
  for (;;) {
    const done = await wait.done();
    if (done >= wait.total) return;
    const nowMs = performance.now();
    if (done > reached) movedMs = nowMs;
    reached = Math.max(reached, done);
    if (nowMs - movedMs > wait.stuckAfterMs) {
      throw new Error(`stuck: ${done} of ${wait.total} ${wait.what}`);
    }
    if (nowMs - saidMs > saidEveryMs) {
      saidMs = nowMs;
      progress(`  ${done} of ${wait.total} ${wait.what}`);
    }
    await sleep(wait.everyMs, undefined, { signal });
  }
}
