/** Structured logs. No secret, card number or personal datum belongs in them (I10). */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

export type { Logger } from 'pino';

/** An SDK's error carries requests and answers with all their headers; those stay out. */
function briefly({ name, message, stack }: Error): object {
  return { type: name, message, stack };
}

/** JSON lines on stdout (or `destination`). Of an error only type, message and stack are logged. */
export function createLogger(name: string, level: string, destination?: DestinationStream): Logger {
  const options = {
    name,
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: briefly },
    redact: {
      paths: ['*.authorization', '*.secret', '*.token', '*.apiKey', '*.email', '*.headers'],
      censor: '[hidden]',
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
