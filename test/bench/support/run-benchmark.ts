/** Around every benchmark: a temp folder, Ctrl-C, cleaning up, printing, the exit code. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { listenForInterrupt } from '../../../dev/launch/interrupt.ts';
import { leaveSignalsToCaller } from '../../../dev/stack/child-groups.ts';
import type { BenchmarkContext, BenchmarkResult } from './benchmark.ts';
import { describeMachine } from './machine.ts';
import { printResult } from './print.ts';

const interruptedExitCode = 130;
/** A server that was interrupted while it started may write until this process ends. */
const removal = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 };

export interface RunOptions {
  json: boolean;
  /** Leave the temp folder, with the servers' logs. */
  keep: boolean;
}

/** Sets the process's exit code: 1 when the benchmark failed or one of its checks did. */
export async function runBenchmark(
  name: string,
  options: RunOptions,
  run: (context: BenchmarkContext) => Promise<BenchmarkResult>,
): Promise<void> {
  const progress = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  // Children are stopped here, in order; a second Ctrl-C ends at once, and the children with us.
  leaveSignalsToCaller();
  const signal = listenForInterrupt(
    () => progress('stopping …'),
    () => process.exit(interruptedExitCode),
  );
  const ends: { what: string; end: () => Promise<void> | void }[] = [];
  const dataDir = await mkdtemp(path.join(tmpdir(), 'durabill-bench-'));
  if (options.keep) progress(`the servers' logs and data stay in ${dataDir}`);
  else ends.push({ what: dataDir, end: async () => await rm(dataDir, removal) });
  const startedMs = performance.now();
  try {
    const result = await run({
      dataDir,
      signal,
      progress,
      onEnd: (what, end) => ends.push({ what, end }),
    });
    const seconds = (performance.now() - startedMs) / 1000;
    printResult(name, describeMachine(), seconds, result, options.json);
    process.exitCode = result.checks.every(({ ok }) => ok) ? 0 : 1;
  } catch (error) {
    process.exitCode = signal.aborted ? interruptedExitCode : 1;
    if (signal.aborted) progress('interrupted');
    else progress(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    for (const { what, end } of ends.toReversed()) {
      try {
        await end();
      } catch (error) {
        progress(`${what} was not cleaned up: ${String(error)}`);
        process.exitCode = 1;
      }
    }
  }
  // A call that an interrupt left open must not keep the process.
  process.exit();
}
