/** Bodies are JSON and bounded, before anything reads them (GA10). */
import { every } from 'hono/combine';
import { bodyLimit } from 'hono/body-limit';
import type { MiddlewareHandler } from 'hono';
import { BillingError } from '../../domain/errors.ts';

/**
 * Throws BillingError `too_large`, and `invalid_request` for a body that does not say that it is JSON: it
 * would be passed over, and what it asks for with it. (curl says `application/x-www-form-urlencoded`.)
 */
export function jsonBody(mostBytes: number): MiddlewareHandler {
  const small = bodyLimit({
    maxSize: mostBytes,
    onError: () => {
      throw new BillingError('too_large', `the body is larger than ${mostBytes} bytes`);
    },
  });
  return every(small, async (ctx, next) => {
    const length = ctx.req.header('Content-Length') ?? '0';
    const hasBody = length !== '0' || ctx.req.header('Transfer-Encoding') !== undefined;
    const type = ctx.req.header('Content-Type') ?? 'none';
    if (hasBody && !/^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(type)) {
      throw new BillingError('invalid_request', 'the body must be sent as application/json');
    }
    await next();
  });
}
