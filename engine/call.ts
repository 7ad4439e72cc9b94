/** A call to Temporal: how long it may take, and what is told when it fails. Decided here alone. */
import type { Client } from '@temporalio/client';
import { BillingError } from '../domain/errors.ts';

/** Who waits for the answer. */
export interface Patience {
  /** For one call; without it a call may take as long as whoever calls us lets it (an activity). */
  patienceMs?: number;
  /**
   * For callers who are to know no more than that: what fails becomes BillingError `unavailable`, its
   * cause kept for the log.
   */
  asUnavailable?: boolean;
}

/** Refused before anything was begun, by Temporal (google.rpc.Code) or because nobody listens. */
const refusedCodes = new Set([3, 5, 7, 8, 9, 16]);

/**
 * Whether a start certainly did not happen. A call that was broken off or timed out may have arrived all
 * the same: false.
 */
export function hasNotArrived(error: unknown): boolean {
  const cause = error instanceof BillingError ? error.cause : error;
  const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  if (!(inner instanceof Error) || !('code' in inner)) return false;
  if (typeof inner.code === 'number' && refusedCodes.has(inner.code)) return true;
  return (
    inner.code === 14 && /ECONNREFUSED|ENOTFOUND|No connection established/.test(inner.message)
  );
}

/** `mostMs`: for this one no longer than that. */
export type Call = <T>(ask: () => Promise<T>, mostMs?: number) => Promise<T>;

export function createCall(client: Client, { patienceMs, asUnavailable }: Patience): Call {
  return async (ask, mostMs = Infinity) => {
    const forMs = Math.min(patienceMs ?? Infinity, mostMs);
    try {
      if (forMs === Infinity) return await ask();
      return await client.withDeadline(Date.now() + forMs, ask);
    } catch (cause) {
      if (asUnavailable !== true) throw cause;
      const message = 'the workflow engine does not answer: try again';
      throw new BillingError('unavailable', message, { cause });
    }
  };
}
