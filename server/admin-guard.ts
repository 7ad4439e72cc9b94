/** The operators' door: `Authorization: Bearer $ADMIN_TOKEN`. */
import type { MiddlewareHandler } from 'hono';
import { BillingError } from '../domain/errors.ts';
import { isBearer } from './bearer.ts';

/** Without a token nobody gets in. What is behind it is not kept by anyone on the way. */
export function adminGuard(token: string | undefined): MiddlewareHandler {
  return async (ctx, next) => {
    if (token === undefined) throw new BillingError('billing_disabled', 'no ADMIN_TOKEN is set');
    if (!isBearer(ctx.req.header('authorization'), token)) {
      ctx.header('WWW-Authenticate', 'Bearer');
      throw new BillingError('unauthorized', 'the admin token is missing or wrong');
    }
    await next();
    ctx.header('Cache-Control', 'no-store');
  };
}
