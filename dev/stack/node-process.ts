import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { baseEnvironment, developmentEnvironment } from '../environment.ts';
import { startChild } from './child.ts';
import { onPort } from './free-port.ts';
import { childOptions } from './start-tool.ts';
import type { RunningServer, StartOptions } from './types.ts';

/** The checkout that this file belongs to, also where it runs compiled, deep inside node_modules. */
export const CHECKOUT = findCheckout(fileURLToPath(new URL('.', import.meta.url)));

function findCheckout(folder: string): string {
  if (existsSync(path.join(folder, 'package-lock.json'))) return folder;
  return findCheckout(path.dirname(folder));
}

/** The node arguments that run one of the checkout's TypeScript files from any folder. */
export function nodeArguments(script: string): string[] {
  // Of tests and benchmarks nothing is compiled ahead.
  if (script.startsWith('test/')) return ['--import', 'tsx', path.join(CHECKOUT, script)];
  return [path.join(CHECKOUT, 'dev/run.mjs'), path.join(CHECKOUT, script)];
}

export interface NodeProcessOptions extends StartOptions {
  /** The script's connection settings; nothing else of the user's environment reaches it. */
  env?: Record<string, string>;
}

/** Starts one of the checkout's own programs; `describe` says how it is told its port and asked. */
export async function startNodeProcess(
  name: string,
  script: string,
  options: NodeProcessOptions,
  describe: (port: number) => {
    args: readonly string[];
    env: Record<string, string>;
    probe: () => Promise<boolean>;
    stopTimeoutMs?: number;
  },
): Promise<RunningServer> {
  await mkdir(options.dataDir, { recursive: true });
  const base = baseEnvironment(options.environment ?? developmentEnvironment());
  return await onPort(options.port, async (port) => {
    const { args, env, ...how } = describe(port);
    return await startChild({
      ...how,
      name,
      command: process.execPath,
      args: [...nodeArguments(script), ...args],
      env: { ...base, ...options.env, ...env },
      dataDir: options.dataDir,
      cwd: CHECKOUT,
      port,
      ...childOptions(options),
    });
  });
}
