/** The application with what a test wants to see of it: no socket, no client. */
import { Writable } from 'node:stream';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { createApp } from '../../server/app.ts';
import type { AppDependencies } from '../../server/app.ts';
import { noApi } from './api-support.ts';
import { noDeadLetters, notInThisTest } from './dead-letters-support.ts';

/** No secret is set, so nothing gets past the door. */
const noWebhooks: AppDependencies['webhooks'] = {
  stripeSecrets: [],
  eventBridgeSecret: undefined,
  now: () => new Date(),
  receiver: {
    webhookEvents: { takeIn: notInThisTest },
    announceEvent: notInThisTest,
    metrics: createMetrics(),
    livemode: false,
  },
};

/** Where a logger may write, and what it wrote. */
export function linesOf() {
  const lines: string[] = [];
  /** The one of each request, apart. */
  const requests: string[] = [];
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      const line = chunk.toString();
      (line.includes('"msg":"request"') ? requests : lines).push(line);
      done();
    },
  });
  return { destination, lines, requests };
}

export function createTestApp(
  probes: AppDependencies['probes'] = {},
  webhooks: Partial<AppDependencies['webhooks']> = {},
  deadLetters: Partial<AppDependencies['deadLetters']> = {},
  others: Partial<AppDependencies> = {},
) {
  const { destination, lines, requests } = linesOf();
  const metrics = createMetrics();
  const logger = createLogger('server', 'info', destination);
  const { registry } = metrics;
  const app = createApp({
    logger,
    registry,
    probes,
    webhooks: { ...noWebhooks, ...webhooks },
    deadLetters: { ...noDeadLetters, ...deadLetters },
    ...noApi,
    ...others,
  });
  return { app, metrics, lines, requests };
}
