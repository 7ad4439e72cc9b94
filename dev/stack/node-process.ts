import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { baseEnvironment, developmentEnvironment } from '../environment.ts';
import { startChild } from './child.ts';
import { onPort } from './free-port.ts';
import { childOptions } from './start-tool.ts';
import type { RunningServer, StartOptions } from './types.ts';

/** The checkout that this file belongs to. */
export const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/** The node arguments that run one of the checkout's TypeScript files from any folder. */
export function nodeArguments(script: string): string[] {
  const tsx = createRequire(import.meta.url).resolve('tsx');
  return ['--import', pathToFileURL(tsx).href, path.join(CHECKOUT, script)];
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
