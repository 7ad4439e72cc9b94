/** Structured logs. No secret, card number or personal datum belongs in them (I10). */
import { pino } from 'pino';
import type { Logger } from 'pino';

export type { Logger } from 'pino';

/** JSON lines on stdout. Errors are logged by type and message only; never a request's headers or body. */
export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['*.authorization', '*.secret', '*.token', '*.apiKey', '*.email', '*.headers'],
      censor: '[hidden]',
    },
  });
}
