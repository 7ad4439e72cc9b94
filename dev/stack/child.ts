import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { BillingError } from '../../domain/errors.ts';
import { endWithThisProcess, killGroup } from './child-groups.ts';
import type { LogFile } from './log-file.ts';
import { lastLines, openLogFile } from './log-file.ts';
import type { ExitReason, RunningServer, SpawnedChild } from './types.ts';

const PROBE_INTERVAL_MS = 20;
const DEFAULT_READY_TIMEOUT_MS = 60_000;
const DEFAULT_STOP_TIMEOUT_MS = 10_000;
const SHOWN_LOG_LINES = 15;

export interface ChildSpec {
  name: string;
  command: string;
  args: readonly string[];
  env: Record<string, string>;
  dataDir: string;
  cwd: string;
  port: number;
  /** The real readiness: true when the server answers as itself. An error means "not yet". */
  probe: () => Promise<boolean>;
  readyTimeoutMs?: number;
  stopTimeoutMs?: number;
  signal?: AbortSignal;
  onSpawn?: (child: SpawnedChild) => void;
}

/**
 * Starts a process in a group of its own (the terminal's Ctrl-C must reach the launcher only) and
 * returns when its probe says that it is ready. One that does not get there is killed, and the error
 * shows the end of its log.
 */
export async function startChild(spec: ChildSpec): Promise<RunningServer> {
  spec.signal?.throwIfAborted();
  const log = openLogFile(spec.dataDir, spec.name);
  const child = spawn(spec.command, [...spec.args], {
    cwd: spec.cwd,
    env: spec.env,
    stdio: ['ignore', log.descriptor, log.descriptor],
    detached: true,
  });
  closeSync(log.descriptor);
  const exited = watchExit(child);
  const { pid } = child;
  if (pid === undefined) throw startFailure(spec, log, await exited);
  endWithThisProcess(pid, exited);
  spec.onSpawn?.({ name: spec.name, pid, command: [spec.command, ...spec.args].join(' ') });

  const failure = await whyNotReady(spec, exited);
  if (failure !== undefined) {
    killGroup(pid);
    await exited;
    spec.signal?.throwIfAborted();
    throw startFailure(spec, log, failure);
  }
  return {
    name: spec.name,
    pid,
    port: spec.port,
    url: `http://127.0.0.1:${spec.port}`,
    address: `127.0.0.1:${spec.port}`,
    logFile: log.path,
    exited,
    stop: async () => await stopChild(pid, exited, spec.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS),
  };
}

async function watchExit(child: ChildProcess): Promise<ExitReason> {
  return await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code ?? 'unknown'}`));
  });
}

/** Waits for the probe; undefined when ready, otherwise the reason. */
async function whyNotReady(
  spec: ChildSpec,
  exited: Promise<ExitReason>,
): Promise<string | undefined> {
  const timeoutMs = spec.readyTimeoutMs ?? DEFAULT_READY_TIMEOUT_MS;
  const deadline = performance.now() + timeoutMs;
  let exit: ExitReason | undefined;
  void exited.then((reason) => {
    exit = reason;
  });
  while (performance.now() < deadline) {
    const ready = await spec.probe().catch(() => false);
    // Asked again after the probe: on a port that somebody else took, the probe may like the other.
    if (exit !== undefined) return `it ended with ${exit}`;
    if (spec.signal?.aborted === true) return 'it was interrupted';
    if (ready) return undefined;
    await Promise.race([sleep(PROBE_INTERVAL_MS), exited]);
  }
  return `it was not ready after ${timeoutMs / 1000} s`;
}

function startFailure(spec: ChildSpec, log: LogFile, reason: string): BillingError {
  const lines = lastLines(log, SHOWN_LOG_LINES).map((line) => `  ${line}`);
  const end = lines.length === 0 ? 'Its log is empty.' : `The end of ${log.path}:`;
  return new BillingError(
    'unavailable',
    [`${spec.name} did not start: ${reason}. ${end}`, ...lines].join('\n'),
  );
}

async function stopChild(
  pid: number,
  exited: Promise<ExitReason>,
  timeoutMs: number,
): Promise<void> {
  const cancelled = new AbortController();
  const timer = sleep(timeoutMs, 'late' as const, { signal: cancelled.signal }).catch(
    () => 'late' as const,
  );
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It is gone already.
  }
  const first = await Promise.race([exited, timer]);
  cancelled.abort();
  if (first === 'late') killGroup(pid);
  await exited;
}
