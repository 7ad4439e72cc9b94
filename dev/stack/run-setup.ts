import { closeSync, writeSync } from 'node:fs';
import { baseEnvironment } from '../environment.ts';
import type { Environment } from '../environment.ts';
import { runCommand } from '../tools/run-command.ts';
import { openLogFile } from './log-file.ts';
import { CHECKOUT, nodeArguments } from './node-process.ts';
import type { SpawnedChild } from './types.ts';

const SETUP_TIMEOUT_MS = 2 * 60_000;

export interface SetupOptions {
  dataDir: string;
  env: Record<string, string>;
  environment: Environment;
  report: (line: string) => void;
  signal: AbortSignal;
  onSpawn: (child: SpawnedChild) => void;
}

/** Runs `durabill setup` against the stack: tables, bucket, namespace, search attributes, schedules. */
export async function runSetup(options: SetupOptions): Promise<void> {
  const log = openLogFile(options.dataDir, 'setup');
  const args = [...nodeArguments('cli/main.ts'), 'setup'];
  try {
    await runCommand({
      command: process.execPath,
      args,
      cwd: CHECKOUT,
      env: { ...baseEnvironment(options.environment), ...options.env },
      timeoutMs: SETUP_TIMEOUT_MS,
      signal: options.signal,
      onSpawn: (pid) => options.onSpawn({ name: 'setup', pid, command: args.join(' ') }),
      onLine: (line) => {
        writeSync(log.descriptor, `${line}\n`);
        options.report(line);
      },
    });
  } finally {
    closeSync(log.descriptor);
  }
}
