import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { ResolvedTool } from '../tools/types.ts';
import { startTool } from './start-tool.ts';
import { DYNAMIC_CONFIG, SQLITE_PRAGMAS, writeTemporalConfig } from './temporal-config.ts';
import type { DynamicConfig } from './temporal-config.ts';
import { servesNamespace } from './temporal-probe.ts';
import type { RunningServer, StartOptions } from './types.ts';

export const TEMPORAL_NAMESPACE = 'default';

export interface TemporalOptions extends StartOptions {
  /** Where the UI listens if the tool is the `temporal` CLI, which has it built in. None without. */
  uiPort?: number;
  /** Beside our own, such as an earlier suggestion to go on as new. */
  dynamicConfig?: DynamicConfig;
}

/**
 * A real Temporal server on SQLite in `<dataDir>/temporal`; ready when it serves and the namespace
 * `default` exists. `address` is what a client connects to.
 */
export async function startTemporal(options: TemporalOptions): Promise<RunningServer> {
  const folder = path.join(options.dataDir, 'temporal');
  await mkdir(folder, { recursive: true });
  return await startTool('temporal-server', 'temporal', options, async (port, tool) => ({
    args: await temporalArguments(tool, folder, port, options),
    env: {},
    probe: async () => await servesNamespace(port, TEMPORAL_NAMESPACE),
  }));
}

/** The command line: of the server with a configuration that is written now, or of the CLI. */
export async function temporalArguments(
  tool: Pick<ResolvedTool, 'isTemporalCli'>,
  folder: string,
  port: number,
  { uiPort, dynamicConfig = {} }: Pick<TemporalOptions, 'uiPort' | 'dynamicConfig'> = {},
): Promise<string[]> {
  if (!tool.isTemporalCli) {
    const configFile = await writeTemporalConfig(folder, port, dynamicConfig);
    return ['--config-file', configFile, '--allow-no-auth', 'start'];
  }
  const dynamic = Object.entries({ ...DYNAMIC_CONFIG, ...dynamicConfig });
  return [
    'server',
    'start-dev',
    '--ip=127.0.0.1',
    `--port=${port}`,
    `--db-filename=${path.join(folder, 'temporal-cli.db')}`,
    ...SQLITE_PRAGMAS.map(([name, value]) => `--sqlite-pragma=${name}=${value}`),
    '--log-level=error',
    ...(uiPort === undefined
      ? ['--headless']
      : ['--ui-ip=127.0.0.1', `--ui-port=${uiPort}`, '--ui-disable-news-fetch']),
    ...dynamic.map(([key, value]) => `--dynamic-config-value=${key}=${value}`),
  ];
}
