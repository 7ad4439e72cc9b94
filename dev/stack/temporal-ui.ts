import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { answersOk } from './probe.ts';
import { startTool } from './start-tool.ts';
import { TEMPORAL_NAMESPACE } from './temporal.ts';
import type { RunningServer, StartOptions } from './types.ts';

export interface TemporalUiOptions extends StartOptions {
  /** host:port of the Temporal server; it need not be up yet. */
  temporalAddress: string;
}

/** The Temporal UI. Not needed where Temporal is the `temporal` CLI, which brings its own. */
export async function startTemporalUi(options: TemporalUiOptions): Promise<RunningServer> {
  const folder = path.join(options.dataDir, 'temporal-ui');
  await mkdir(path.join(folder, 'conf'), { recursive: true });
  return await startTool('temporal-ui', 'temporal-ui', options, async (port) => {
    const config = {
      temporalGrpcAddress: options.temporalAddress,
      host: '127.0.0.1',
      port,
      enableUi: true,
      disableNewsFetch: true,
      defaultNamespace: TEMPORAL_NAMESPACE,
    };
    // JSON is YAML.
    await writeFile(path.join(folder, 'conf', 'development.yaml'), JSON.stringify(config, null, 2));
    return {
      args: ['--root', folder, '--config', 'conf', '--env', 'development', 'start'],
      env: {},
      probe: async () => await answersOk(`http://127.0.0.1:${port}/healthz`),
    };
  });
}
