import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { z } from 'zod';
import { BillingError } from '../../domain/errors.ts';
import type { Report } from '../tools/types.ts';
import { readJsonFile, removeFile, writeJsonFile } from './json-file.ts';
import type { ProcessRecord } from './process-identity.ts';
import { isSameProcess, processRecord, processStartTime } from './process-identity.ts';
import type { SpawnedChild } from './types.ts';

const LOCK = { stale: 10_000, retries: { retries: 60, minTimeout: 100, maxTimeout: 500 } };
const TERMINATE_WAIT_MS = 5_000;
const POLL_MS = 25;

const processesFile = z.object({ launcher: processRecord, children: z.array(processRecord) });

export interface ProcessRegistry {
  /** Remembers a child the moment it exists. */
  add(child: SpawnedChild): void;
  remove(pid: number): void;
  /** The launcher is done: the data folder is free. */
  close(): void;
}

/**
 * Takes the data folder for this launcher. Children that a crashed launcher left are ended first; a
 * launcher that still runs is an error with its pid and `describeRunning`'s text (its URLs).
 */
export async function claimDataFolder(
  dataDir: string,
  report: Report,
  describeRunning: () => string,
): Promise<ProcessRegistry> {
  mkdirSync(dataDir, { recursive: true });
  // Held only while claiming, so that two starts at once cannot both find the folder free.
  const lockfilePath = path.join(dataDir, 'claim.lock');
  const release = await lockfile.lock(dataDir, { ...LOCK, lockfilePath });
  try {
    const file = path.join(dataDir, 'processes.json');
    const before = readJsonFile(file, processesFile);
    if (before !== undefined && isSameProcess(before.launcher)) {
      throw new BillingError(
        'conflict',
        `the embedded stack already runs on ${dataDir} (pid ${before.launcher.pid})${describeRunning()}`,
      );
    }
    await endLeftovers(before?.children ?? [], report);
    return openRegistry(file);
  } finally {
    await release();
  }
}

function openRegistry(file: string): ProcessRegistry {
  const self = { name: 'launcher', pid: process.pid, command: process.argv.join(' ') };
  const launcher = recordOf(self);
  let children: ProcessRecord[] = [];
  const write = (): void => writeJsonFile(file, { launcher, children });
  write();
  return {
    add: (child) => {
      children = [...children, recordOf(child)];
      write();
    },
    remove: (pid) => {
      children = children.filter((child) => child.pid !== pid);
      write();
    },
    close: () => removeFile(file),
  };
}

function recordOf(child: SpawnedChild): ProcessRecord {
  return { ...child, startTime: processStartTime(child.pid) ?? 'gone' };
}

/** Ends what a crashed launcher left. A pid that now belongs to another process is left alone. */
async function endLeftovers(records: readonly ProcessRecord[], report: Report): Promise<void> {
  const leftovers = records.filter((record) => isSameProcess(record));
  for (const { name, pid } of leftovers) {
    report(`ending ${name} (pid ${pid}), left by a launcher that crashed`);
    signalGroup(pid, 'SIGTERM');
  }
  const deadline = performance.now() + TERMINATE_WAIT_MS;
  while (leftovers.some((record) => isSameProcess(record)) && performance.now() < deadline) {
    await sleep(POLL_MS);
  }
  for (const record of leftovers) {
    if (isSameProcess(record)) signalGroup(record.pid, 'SIGKILL');
  }
  while (leftovers.some((record) => isSameProcess(record))) {
    if (performance.now() > deadline + TERMINATE_WAIT_MS) {
      throw new BillingError('unavailable', 'processes of a crashed launcher cannot be ended');
    }
    await sleep(POLL_MS);
  }
}

/** Each child leads a process group of its own. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It ended in between.
  }
}
