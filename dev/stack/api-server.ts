import { startNodeProcess } from './node-process.ts';
import type { NodeProcessOptions } from './node-process.ts';
import { answersOk } from './probe.ts';
import type { RunningServer } from './types.ts';

/** The HTTP server: API, dashboard, webhooks. Ready when `/readyz` says so. */
export async function startApiServer(options: NodeProcessOptions): Promise<RunningServer> {
  return await startNodeProcess('server', 'server/main.ts', options, (port) => ({
    args: [],
    env: { PORT: String(port) },
    probe: async () => await answersOk(`http://127.0.0.1:${port}/readyz`),
  }));
}
