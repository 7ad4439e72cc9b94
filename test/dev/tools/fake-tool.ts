import { appendFile, chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../../../dev/environment.ts';
import type { ToolDefinition } from '../../../dev/tools/types.ts';

/** A folder of the test's own. */
export async function temporaryFolder(): Promise<string> {
  return await mkdtemp(path.join(os.tmpdir(), 'durabill-test-'));
}

/** A program that does nothing, under this path. */
export async function writeProgram(file: string): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, '#!/bin/sh\nexit 0\n');
  await chmod(file, 0o755);
  return file;
}

/** An environment with an empty PATH and a tools folder inside `folder`. */
export function emptyEnvironment(folder: string): Environment {
  return { PATH: path.join(folder, 'bin'), DURABILL_TOOLS: path.join(folder, 'tools') };
}

/** A tool whose build takes 300 ms, writes half of it at first, and notes that it ran. */
export function fakeTool(folder: string, more: Partial<ToolDefinition> = {}): ToolDefinition {
  return {
    name: 'fake',
    version: '1.0.0',
    variable: 'DURABILL_FAKE',
    onPath: ['fake-program'],
    binaries: ['fake'],
    builder: {
      description: 'built by the test',
      progress: 'building fake 1.0.0',
      build: async ({ directory, report }) => {
        report('building fake 1.0.0 — 0s');
        await appendFile(path.join(folder, 'builds.log'), `${process.pid}\n`);
        await writeFile(path.join(directory, 'half'), 'half');
        await sleep(300);
        await writeProgram(path.join(directory, 'fake'));
      },
    },
    ...more,
  };
}
