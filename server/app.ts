/** The HTTP application, without a socket: `app.request` is how tests call it. */
import { OpenAPIHono } from '@hono/zod-openapi';
import { secureHeaders } from 'hono/secure-headers';
import type { Registry } from 'prom-client';
import type { Logger } from '../platform/logger.ts';
import type { BillingDependencies } from '../operations/billing.ts';
import type { BudgetDependencies } from '../operations/budgets.ts';
import type { KeyDependencies } from '../operations/keys.ts';
import type { UsageDependencies } from '../operations/show-usage.ts';
import type { Metrics } from '../platform/metrics.ts';
import { errorWriter, notFound } from './errors.ts';
import { createDoor } from './middleware/actor.ts';
import type { DoorOptions } from './middleware/actor.ts';
import { logRequests } from './middleware/request-log.ts';
import { about, securitySchemes } from './openapi.ts';
import { refuseInvalid } from './refuse-invalid.ts';
import { billingRoutes } from './routes/billing.ts';
import { customerRoutes } from './routes/customers.ts';
import type { CustomerRouteDependencies } from './routes/customers.ts';
import { budgetRoutes } from './routes/budgets.ts';
import { castRoutes } from './routes/casts.ts';
import type { CastOptions } from './routes/casts.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import type { DeadLetterOptions } from './routes/dead-letters.ts';
import { documentationRoutes } from './routes/documentation.ts';
import { fileRoutes } from './routes/files.ts';
import type { FileOptions } from './routes/files.ts';
import { healthRoutes } from './routes/health.ts';
import type { ReadinessProbes } from './routes/health.ts';
import { keyRoutes } from './routes/keys.ts';
import { tryRoutes } from './routes/try-docs.ts';
import { usageRoutes } from './routes/usage.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import type { WebhookOptions } from './routes/webhooks.ts';

export interface AppDependencies {
  logger: Logger;
  registry: Registry;
  /** `/metrics` is on a port of its own (operation-app.ts) and not here. */
  metricsElsewhere?: boolean;
  probes: ReadinessProbes;
  /** Tells in the metrics what the probes find. */
  needUp?: Metrics['needUp'];
  webhooks: WebhookOptions;
  deadLetters: DeadLetterOptions;
  door: DoorOptions;
  keys: KeyDependencies;
  budgets: BudgetDependencies;
  casts: CastOptions;
  files: FileOptions;
  billing: BillingDependencies;
  customers: CustomerRouteDependencies;
  usage: UsageDependencies;
}

export function createApp(dependencies: AppDependencies): OpenAPIHono {
  const { logger, registry, probes, webhooks, deadLetters } = dependencies;
  const door = createDoor(dependencies.door, logger);
  const app = new OpenAPIHono({ defaultHook: refuseInvalid });
  app.use(logRequests(logger));
  app.use(secureHeaders());
  app.onError(errorWriter(logger));
  app.notFound(notFound);
  const measured = dependencies.metricsElsewhere === true ? undefined : registry;
  app.route('/', healthRoutes(probes, measured, dependencies.needUp));
  app.route('/', webhookRoutes(webhooks));
  for (const [name, scheme] of Object.entries(securitySchemes)) {
    app.openAPIRegistry.registerComponent('securitySchemes', name, scheme);
  }
  app.route('/', keyRoutes(dependencies.keys, door));
  app.route('/', budgetRoutes(dependencies.budgets, door));
  app.route('/', castRoutes(dependencies.casts, door));
  app.route('/', fileRoutes(dependencies.files, door));
  app.route('/', usageRoutes(dependencies.usage, door));
  app.route('/', billingRoutes(dependencies.billing, door));
  app.route('/', customerRoutes(dependencies.customers, door));
  app.route('/', deadLetterRoutes(deadLetters, door, logger));
  app.route('/', tryRoutes());
  // Asked for by request only: by then every route is registered, these too.
  app.route(
    '/',
    documentationRoutes(() => app.getOpenAPI31Document(about), measured !== undefined),
  );
  return app;
}
