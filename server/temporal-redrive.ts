/** What a redrive over HTTP needs of Temporal: short patience, and one error for "it does not answer". */
import type { Client } from '@temporalio/client';
import { BillingError } from '../domain/errors.ts';
import { requireNamespace } from '../platform/temporal-setup.ts';
import { connectRedrive } from '../operations/redrive/connect.ts';

type Connected = ReturnType<typeof connectRedrive>;

export interface TemporalRedrive {
  /** Throws BillingError `unavailable`: asked before anything is changed. */
  ask: () => Promise<void>;
  connect: (applyPatienceMs: number) => Connected;
}

export function createTemporalRedrive(
  client: Client,
  taskQueue: string,
  callPatienceMs: number,
): TemporalRedrive {
  return {
    ask: async () => {
      await orUnavailable(async () => await requireNamespace(client, callPatienceMs));
    },
    connect: (applyPatienceMs) => {
      const connected = connectRedrive({
        client,
        taskQueue,
        callPatienceMs,
        applyPatienceMs,
        // A day is started, and closes its letter at the next redrive.
        awaitDay: async () => await Promise.resolve(false),
      });
      const { announce, announceEvent, measureDay, startBill } = connected;
      return {
        ...connected,
        announce: async (...args) => await orUnavailable(async () => await announce(...args)),
        announceEvent: async (...args) =>
          await orUnavailable(async () => await announceEvent(...args)),
        measureDay: async (...args) => await orUnavailable(async () => await measureDay(...args)),
        startBill: async (...args) => await orUnavailable(async () => await startBill(...args)),
      };
    },
  };
}

/** The cause is logged (`errors.ts`) and not told. */
async function orUnavailable<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    const message = 'the workflow engine does not answer: try again';
    throw new BillingError('unavailable', message, { cause });
  }
}
