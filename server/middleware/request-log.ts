/**
 * Names each request and writes one line of it: what was asked by the route's pattern and never by its
 * address, whose path and query a caller may have put a secret in. No header and no body is in it.
 */
import { randomUUID } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { hideSecrets } from '../../domain/hide-secrets.ts';
import type { Logger } from '../../platform/logger.ts';
import type { ActorEnv } from './actor.ts';

interface RequestEnv {
  Variables: Partial<ActorEnv['Variables']> & { requestId: string };
}

/** Asked every few seconds by machines. */
const probes = new Set(['/healthz', '/readyz', '/metrics']);
/** No underscore: no key and no secret has this form. */
const plainId = /^[A-Za-z0-9-]{1,64}$/;
const digitsAfterPoint = 1;

export function logRequests(logger: Logger): MiddlewareHandler<RequestEnv> {
  return async (ctx, next) => {
    const startedMs = performance.now();
    const requestId = nameOf(ctx.req.header('X-Request-Id'));
    ctx.set('requestId', requestId);
    ctx.header('X-Request-Id', requestId);
    await next();
    const route = routeOf(ctx);
    const line = {
      requestId,
      method: ctx.req.method,
      route,
      status: ctx.res.status,
      ms: Number((performance.now() - startedMs).toFixed(digitsAfterPoint)),
      ...callerOf(ctx.get('actor')),
    };
    logger[probes.has(route) ? 'debug' : 'info'](line, 'request');
  };
}

/** The caller's own, as long as it is plain; else a new one. */
function nameOf(own: string | undefined): string {
  const isPlain = own !== undefined && plainId.test(own) && hideSecrets(own) === own;
  return isPlain ? own : randomUUID();
}

/** The pattern of the route that answers, such as `/v1/casts/:processingId`. */
export function routeOf(ctx: Context): string {
  return matchedRoutes(ctx).findLast(({ method }) => method !== 'ALL')?.path ?? 'none';
}

function callerOf(actor: RequestEnv['Variables']['actor']): { caller?: string } {
  if (actor === undefined) return {};
  return { caller: actor.kind === 'customer' ? actor.customerId : 'operator' };
}
