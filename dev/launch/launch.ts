import pc from 'picocolors';
import { leaveSignalsToCaller } from '../stack/child-groups.ts';
import { developmentEnvironment } from '../environment.ts';
import { listenForInterrupt } from './interrupt.ts';
import { StackLaunch } from './stack-launch.ts';
import type { Screen, StepResults } from './steps.ts';
import { createSteps } from './steps.ts';
import { summaryJson, summaryText } from './summary.ts';

export interface LaunchOptions {
  /** Stop everything once the demo has run. */
  once: boolean;
  /** One JSON line on stdout and nothing else there. */
  json: boolean;
}

/** Brings the stack up, stays until Ctrl-C (or not, with `once`), stops it. Returns the exit code. */
export async function launchStack(options: LaunchOptions): Promise<number> {
  const startedAt = performance.now();
  const screen = createScreen(options);
  const notes: string[] = [];
  let stepsRun = true;
  const announce = (line: string): void => {
    // A display that is redrawn would swallow the line; it is shown below it at the end.
    if (stepsRun && !screen.plain) notes.push(line);
    else screen.write(line);
  };
  leaveSignalsToCaller();
  const signal = listenForInterrupt(
    () => screen.write('\nStopping (press Ctrl-C again to kill everything at once)'),
    () => {
      launch.release();
      process.exit(130);
    },
  );
  const launch = new StackLaunch(developmentEnvironment(), announce, signal);
  const results: StepResults = {};
  let error: string | undefined;
  try {
    await createSteps(launch, screen).run(results);
  } catch (failure) {
    error = failure instanceof Error ? failure.message : String(failure);
  }
  stepsRun = false;
  const isUp = results.demo !== undefined && !signal.aborted;
  try {
    if (error !== undefined && !signal.aborted) screen.write(`\n${pc.red(error)}`);
    const stack = isUp ? launch.describe() : undefined;
    const { dataDir } = launch;
    if (stack !== undefined) screen.write(`\n${summaryText(stack, dataDir, results.demo, notes)}`);
    if (options.json) {
      const ok = error === undefined;
      process.stdout.write(
        `${summaryJson({ ok, startedAt, dataDir, stack, demo: results.demo, error })}\n`,
      );
    }
    if (isUp && !options.once) {
      screen.write(
        `\nUp after ${elapsedSeconds(startedAt)} s; alerts are shown here. Ctrl-C stops everything.`,
      );
      await untilAborted(signal);
    }
  } finally {
    await launch.stop();
  }
  if (signal.aborted && !isUp) return 130;
  return error === undefined ? 0 : 1;
}

function createScreen(options: LaunchOptions): Screen {
  const stream = options.json ? process.stderr : process.stdout;
  return {
    plain: options.json || !process.stdout.isTTY,
    write: (line) => {
      stream.write(`${line}\n`);
    },
  };
}

function elapsedSeconds(startedAt: number): string {
  return ((performance.now() - startedAt) / 1000).toFixed(1);
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  // A pending promise alone does not keep the process; the timer does.
  const keepAlive = setInterval(() => undefined, 60_000);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearInterval(keepAlive);
}
