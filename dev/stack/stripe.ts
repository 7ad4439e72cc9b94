import path from 'node:path';
import { startNodeProcess } from './node-process.ts';
import { answersOk } from './probe.ts';
import type { RunningServer, StartOptions } from './types.ts';

export interface StripeOptions extends StartOptions {
  /** The only key that the double accepts. */
  secretKey: string;
  /** Where it sends its webhooks, and what it signs them with; without it nothing is sent. */
  webhook?: { url: string; secret: string };
}

/** Of Stripe's waits between attempts: a server that was away hears of it after 3 s, then 18. */
const RETRY_SCALE = 0.01;

/** The Stripe double (stripe-double) as a process; its data is in `<dataDir>/stripe`. */
export async function startStripe(options: StripeOptions): Promise<RunningServer> {
  const folder = path.join(options.dataDir, 'stripe');
  const { secretKey, webhook } = options;
  const delivering =
    webhook === undefined
      ? []
      : ['--webhook', webhook.url, '--webhook-retry-scale', String(RETRY_SCALE)];
  return await startNodeProcess('stripe', 'stripe-double/main.ts', options, (port) => ({
    args: ['--port', String(port), '--data', folder, ...delivering],
    // Not as arguments: everybody on the machine may list those.
    env: {
      STRIPE_DOUBLE_SECRET_KEY: secretKey,
      ...(webhook === undefined ? {} : { STRIPE_DOUBLE_WEBHOOK_SECRET: webhook.secret }),
    },
    probe: async () => await answersOk(`http://127.0.0.1:${port}/healthz`),
  }));
}
