import { mkdir } from 'node:fs/promises';
import { isListening } from './probe.ts';
import { startTool } from './start-tool.ts';
import type { RunningServer, StartOptions } from './types.ts';

/** stripe-mock: Stripe's published OpenAPI, stateless. For tests of the shape of requests only. */
export async function startStripeMock(options: StartOptions): Promise<RunningServer> {
  await mkdir(options.dataDir, { recursive: true });
  return await startTool('stripe-mock', 'stripe-mock', options, (port) => ({
    // Without an HTTPS address it would also listen on every interface.
    args: ['-http-addr', `127.0.0.1:${port}`, '-https-addr', '127.0.0.1:0'],
    env: {},
    probe: async () => await isListening(port),
  }));
}
