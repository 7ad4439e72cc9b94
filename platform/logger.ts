/** Structured logs. No secret, card number or personal datum belongs in them (I10). */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { hideSecrets } from '../domain/hide-secrets.ts';

export type { Logger } from 'pino';

const mostCauses = 4;

/** An SDK's error carries requests and answers with all their headers; those stay out. */
function briefly({ name, message, stack, cause }: Error, depth = 0): object {
  const own = { type: name, message, stack };
  const goesOn = cause instanceof Error && depth < mostCauses;
  return goesOn ? { ...own, cause: briefly(cause, depth + 1) } : own;
}

/**
 * JSON lines on stdout (or `destination`). Of an error and its causes only type, message and stack are
 * logged; whatever a library put into its words, each line loses what looks like a secret, and `secrets`.
 */
export function createLogger(
  name: string,
  level: string,
  destination?: DestinationStream,
  secrets: readonly string[] = [],
): Logger {
  const options = {
    name,
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: (error: Error) => briefly(error) },
    hooks: { streamWrite: (line: string) => hideSecrets(line, secrets) },
    redact: {
      paths: ['*.authorization', '*.secret', '*.token', '*.apiKey', '*.email', '*.headers'],
      censor: '[hidden]',
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
