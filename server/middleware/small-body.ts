/** Caps a body before anything reads it (GA10). */
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { BillingError } from '../../domain/errors.ts';

/** Throws BillingError `too_large`. */
export function smallBody(mostBytes: number): MiddlewareHandler {
  return bodyLimit({
    maxSize: mostBytes,
    onError: () => {
      throw new BillingError('too_large', `the body is larger than ${mostBytes} bytes`);
    },
  });
}
