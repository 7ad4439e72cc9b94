/** The HTTP application, without a socket: `app.request` is how tests call it. */
import { OpenAPIHono } from '@hono/zod-openapi';
import { requestId } from 'hono/request-id';
import { secureHeaders } from 'hono/secure-headers';
import type { Registry } from 'prom-client';
import type { Logger } from '../platform/logger.ts';
import { errorWriter, notFound } from './errors.ts';
import { about } from './openapi.ts';
import { documentationRoutes } from './routes/documentation.ts';
import { healthRoutes } from './routes/health.ts';
import type { ReadinessProbes } from './routes/health.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import type { WebhookOptions } from './routes/webhooks.ts';

export interface AppDependencies {
  logger: Logger;
  registry: Registry;
  probes: ReadinessProbes;
  webhooks: WebhookOptions;
}

export function createApp({ logger, registry, probes, webhooks }: AppDependencies): OpenAPIHono {
  const app = new OpenAPIHono();
  app.use(requestId());
  app.use(secureHeaders());
  app.onError(errorWriter(logger));
  app.notFound(notFound);
  app.route('/', healthRoutes(probes, registry));
  app.route('/', webhookRoutes(webhooks));
  // Asked for by request only: by then every route is registered, these too.
  app.route(
    '/',
    documentationRoutes(() => app.getOpenAPI31Document(about)),
  );
  return app;
}
