/** The HTTP application, without a socket: `app.request` is how tests call it. */
import { Hono } from 'hono';
import { requestId } from 'hono/request-id';
import { secureHeaders } from 'hono/secure-headers';
import type { Registry } from 'prom-client';
import type { Logger } from '../platform/logger.ts';
import { errorWriter, notFound } from './errors.ts';
import { healthRoutes } from './routes/health.ts';
import type { ReadinessProbes } from './routes/health.ts';

export interface AppDependencies {
  logger: Logger;
  registry: Registry;
  probes: ReadinessProbes;
}

export function createApp({ logger, registry, probes }: AppDependencies): Hono {
  const app = new Hono();
  app.use(requestId());
  app.use(secureHeaders());
  app.onError(errorWriter(logger));
  app.notFound(notFound);
  app.get('/', (ctx) => ctx.json({ name: 'durabill', health: '/readyz', metrics: '/metrics' }));
  app.route('/', healthRoutes(probes, registry));
  return app;
}
