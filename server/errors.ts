/** One table from error codes to HTTP, one place that writes an error's body. */
import type { Context } from 'hono';
import { BillingError } from '../domain/errors.ts';
import type { BillingErrorCode } from '../domain/errors.ts';
import type { Logger } from '../platform/logger.ts';

export const statuses = {
  invalid_request: 400,
  unauthorized: 401,
  budget_exceeded: 402,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  rate_limited: 429,
  billing_disabled: 503,
  unavailable: 503,
  internal: 500,
} as const satisfies Record<BillingErrorCode | 'internal', number>;

/** What stands in `error` of an error's body. */
export type ErrorCode = keyof typeof statuses;

/** For Hono's `onError`: ours are told as they are, an unknown one says nothing of the inside. */
export function errorWriter(logger: Logger) {
  return (error: Error, ctx: Context): Response => {
    if (error instanceof BillingError) {
      return ctx.json({ error: error.code, message: error.message }, statuses[error.code]);
    }
    const requestId = ctx.res.headers.get('X-Request-Id');
    logger.error({ requestId, path: ctx.req.path, err: error }, 'unexpected error');
    return ctx.json(
      { error: 'internal', message: 'something went wrong on our side' },
      statuses.internal,
    );
  };
}

export function notFound(ctx: Context): Response {
  return ctx.json({ error: 'not_found', message: 'there is nothing at this address' }, 404);
}
