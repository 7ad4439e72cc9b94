import path from 'node:path';
import { startNodeProcess } from './node-process.ts';
import { answersOk } from './probe.ts';
import type { RunningServer, StartOptions } from './types.ts';

export interface StripeOptions extends StartOptions {
  /** The only key that the double accepts. */
  secretKey: string;
}

/** The Stripe double (dev/stripe) as a process; its data is in `<dataDir>/stripe`. */
export async function startStripe(options: StripeOptions): Promise<RunningServer> {
  const folder = path.join(options.dataDir, 'stripe');
  return await startNodeProcess('stripe', 'dev/stripe/main.ts', options, (port) => ({
    args: ['--port', String(port), '--data', folder, '--secret-key', options.secretKey],
    env: {},
    probe: async () => await answersOk(`http://127.0.0.1:${port}/healthz`),
  }));
}
