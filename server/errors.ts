/** One table from error codes to HTTP, one place that writes an error's body. */
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { BillingError } from '../domain/errors.ts';
import type { BillingErrorCode } from '../domain/errors.ts';
import { hideSecrets } from '../domain/hide-secrets.ts';
import type { Logger } from '../platform/logger.ts';
import { routeOf } from './middleware/request-log.ts';

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

/** The body of an error. */
export interface ToldError {
  error: ErrorCode;
  message: string;
  [field: string]: string | number;
}

/**
 * What a caller is told of an error: ours as they are, of an unknown one nothing of the inside. What
 * only we can mend is logged, with `where` it happened.
 */
export function tellError(logger: Logger, error: unknown, where: object): ToldError {
  const known = error instanceof HTTPException ? inOurWords(error) : error;
  if (!(known instanceof BillingError)) {
    logger.error({ ...where, err: known }, 'unexpected error');
    return { error: 'internal', message: 'something went wrong on our side' };
  }
  const { code, message, cause } = known;
  if (statuses[code] >= 500 && cause instanceof Error) {
    logger.error({ ...where, code, err: cause }, message);
  }
  // A refusal may repeat what was sent, such as the name of a field that nobody knows.
  return { ...known.fields, error: code, message: hideSecrets(message) };
}

/** For Hono's `onError`. */
export function errorWriter(logger: Logger) {
  return (error: Error, ctx: Context): Response => {
    const requestId: unknown = ctx.get('requestId');
    const told = tellError(logger, error, { requestId, route: routeOf(ctx) });
    const status = statuses[told.error];
    // Who set it knows better when it is worth trying again.
    if (status === 429 && !ctx.res.headers.has('Retry-After')) ctx.header('Retry-After', '1');
    return ctx.json(told, status);
  };
}

/** The HTTP library's own refusals: a body that is no JSON, or says that it is something else. */
function inOurWords(error: HTTPException): Error {
  const { status, message } = error;
  if (status === 413) return new BillingError('too_large', 'the body is too large');
  if (status === 415) {
    return new BillingError('invalid_request', 'the body must be sent as application/json');
  }
  return status >= 400 && status < 500 ? new BillingError('invalid_request', message) : error;
}

export function notFound(ctx: Context): Response {
  return ctx.json({ error: 'not_found', message: 'there is nothing at this address' }, 404);
}
