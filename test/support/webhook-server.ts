/** Our webhook route on a socket, and the Stripe double told to send its events there. */
import { serve } from '@hono/node-server';
import type { ServerType } from '@hono/node-server';
import type { Engine } from '../../engine/engine.ts';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { createApp } from '../../server/app.ts';
import type { EventReceiver } from '../../server/receive-event.ts';
import { noApi } from '../server/api-support.ts';
import { noDeadLetters } from '../server/dead-letters-support.ts';
import type { Services } from './services.ts';

const secret = 'whsec_of_this_test';

export interface WebhookServer {
  receiver: EventReceiver;
  stop: () => Promise<void>;
}

export async function startWebhookServer(
  services: Services,
  { announceEvent }: Pick<Engine, 'announceEvent'>,
): Promise<WebhookServer> {
  const metrics = createMetrics();
  const { webhookEvents } = services;
  const receiver: EventReceiver = { webhookEvents, announceEvent, metrics, livemode: false };
  const app = createApp({
    logger: createLogger('test', 'silent'),
    registry: metrics.registry,
    probes: {},
    deadLetters: noDeadLetters,
    ...noApi,
    webhooks: {
      stripeSecrets: [secret],
      eventBridgeSecret: undefined,
      now: () => new Date(),
      receiver,
    },
  });
  let server: ServerType | undefined;
  const port = await new Promise<number>((resolve) => {
    server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, (address) => {
      resolve(address.port);
    });
  });
  await services.control.configureWebhooks({ retryScale: 0.001 });
  await services.control.addWebhook({ url: `http://127.0.0.1:${port}/webhooks/stripe`, secret });
  return {
    receiver,
    stop: async () => {
      await new Promise((resolve) => server?.close(resolve));
    },
  };
}
