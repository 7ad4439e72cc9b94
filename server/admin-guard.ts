/** The operators' door: `Authorization: Bearer $ADMIN_TOKEN`. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { BillingError } from '../domain/errors.ts';

/** Without a token nobody gets in. What is behind it is not kept by anyone on the way. */
export function adminGuard(token: string | undefined): MiddlewareHandler {
  const wanted = token === undefined ? undefined : digest(token);
  return async (ctx, next) => {
    if (wanted === undefined) throw new BillingError('billing_disabled', 'no ADMIN_TOKEN is set');
    const [, given] = /^bearer +(.*)$/i.exec(ctx.req.header('authorization') ?? '') ?? [];
    if (given === undefined || !timingSafeEqual(digest(given), wanted)) {
      ctx.header('WWW-Authenticate', 'Bearer');
      throw new BillingError('unauthorized', 'the admin token is missing or wrong');
    }
    await next();
    ctx.header('Cache-Control', 'no-store');
  };
}

/** Digests are equally long, so that the time of comparing them tells nothing of the token. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
