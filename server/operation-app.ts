/** What Prometheus and the orchestrator ask, for a port of its own (METRICS_PORT) that customers do not reach. */
import { Hono } from 'hono';
import type { AppDependencies } from './app.ts';
import { errorWriter, notFound } from './errors.ts';
import { healthRoutes } from './routes/health.ts';

export function createOperationApp({
  logger,
  registry,
  probes,
  needUp,
}: Pick<AppDependencies, 'logger' | 'registry' | 'probes' | 'needUp'>): Hono {
  const app = new Hono();
  app.onError(errorWriter(logger));
  app.notFound(notFound);
  app.route('/', healthRoutes(probes, registry, needUp));
  return app;
}
