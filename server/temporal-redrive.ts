/** What a redrive over HTTP needs of the engine. */
import type { Engine } from '../engine/engine.ts';
import { connectRedrive } from '../operations/dead-letters/connect.ts';

export interface TemporalRedrive {
  /** Throws BillingError `unavailable`: asked before anything is changed. */
  ask: () => Promise<void>;
  connect: (applyPatienceMs: number) => ReturnType<typeof connectRedrive>;
}

/** The engine tells every failure as `unavailable`: strangers are to know no more. */
export function createTemporalRedrive(engine: Engine): TemporalRedrive {
  return {
    ask: engine.requireNamespace,
    connect: (applyPatienceMs) =>
      connectRedrive(engine, {
        applyPatienceMs,
        // A day is started, and closes its letter at the next redrive.
        awaitDay: async () => await Promise.resolve(false),
      }),
  };
}
