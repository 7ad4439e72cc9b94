/** Makes an AWS client's "connection refused" say whose connection, and what to look at. */
import { BillingError } from '../../domain/errors.ts';
import { isUnreachable } from './failures.ts';

type Handler = (args: never) => Promise<unknown>;
interface Stack {
  add(middleware: (next: Handler) => Handler, options: { step: 'initialize'; name: string }): void;
}

/** Bounds every call as well: the SDK's own request timeout only warns. */
export function nameFailures(
  stack: object,
  patienceMs: number,
  who: string,
  variable: string,
): void {
  const away = (cause?: unknown): BillingError =>
    new BillingError(
      'unavailable',
      `${who} does not answer: is it running, and ${variable} right?`,
      {
        cause,
      },
    );
  const middleware =
    (next: Handler): Handler =>
    async (args) => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(away()), patienceMs);
      });
      try {
        return await Promise.race([next(args), late]);
      } catch (error) {
        throw isUnreachable(error) ? away(error) : error;
      } finally {
        clearTimeout(timer);
      }
    };
  (stack as Stack).add(middleware, { step: 'initialize', name: 'nameFailures' });
}
