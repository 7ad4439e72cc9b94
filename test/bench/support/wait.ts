import { setTimeout as sleep } from 'node:timers/promises';
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
