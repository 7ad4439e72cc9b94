/** The HTTP application, without a socket: `app.request` is how tests call it. */
import { OpenAPIHono } from '@hono/zod-openapi';
import { requestId } from 'hono/request-id';
import { secureHeaders } from 'hono/secure-headers';
import type { Registry } from 'prom-client';
import type { Logger } from '../platform/logger.ts';
import { errorWriter, notFound } from './errors.ts';
import { about } from './openapi.ts';
import { refuseInvalid } from './refuse-invalid.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import type { DeadLetterOptions } from './routes/dead-letters.ts';
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
  deadLetters: DeadLetterOptions;
}

export function createApp(dependencies: AppDependencies): OpenAPIHono {
  const { logger, registry, probes, webhooks, deadLetters } = dependencies;
  const app = new OpenAPIHono({ defaultHook: refuseInvalid });
  app.use(requestId());
  app.use(secureHeaders());
  app.onError(errorWriter(logger));
  app.notFound(notFound);
  app.route('/', healthRoutes(probes, registry));
  app.route('/', webhookRoutes(webhooks));
  app.route('/', deadLetterRoutes(deadLetters, logger));
  // Asked for by request only: by then every route is registered, these too.
  app.route(
    '/',
    documentationRoutes(() => app.getOpenAPI31Document(about)),
  );
  return app;
}
