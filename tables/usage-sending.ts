/** The steps of a delivery, as its sender takes them (DL2); each is conditional on the state before. */
import type { Proof, UsageRecord } from '../domain/usage.ts';
import { laidAside, undelivered } from './usage-change.ts';
import type { UsageChanges } from './usage-change.ts';
import { undoing } from './usage-transition.ts';
import { delivery } from './usage-steps.ts';

export function createUsageSending({ change, update }: UsageChanges) {
  /** Written before the call to Stripe, with the time of the first attempt (DL2). */
  async function claim(identifier: string, now: string): Promise<UsageRecord | undefined> {
    return await change(identifier, undelivered, {
      now,
      what: 'sending',
      set: { state: 'sending', nextAttemptAt: now, lastAttemptAt: now },
      setOnce: { firstAttemptAt: now, doubtSince: now },
      count: 'attempts',
    });
  }

  /** Stripe refused our key, so that the call told nothing of the record: as if it had not been (DL12). */
  async function unclaim(before: UsageRecord, claimed: UsageRecord): Promise<void> {
    if (claimed.attempts === before.attempts + 1) await update(undoing(before, claimed));
  }

  /** Stripe has it. `how` is for its life; `provenBy` is how each of its meter events is known to be there. */
  async function confirm(
    identifier: string,
    now: string,
    how: string,
    provenBy?: Record<string, Proof>,
  ): Promise<UsageRecord | undefined> {
    return await change(identifier, undelivered, delivery(now, how, provenBy));
  }

  /** Keeps what an attempt met; the record stays `sending`, for the call may have been applied. */
  async function noteFailure(
    identifier: string,
    error: string,
    freshKey: boolean,
    now: string,
  ): Promise<void> {
    await change(identifier, ['sending'], {
      now,
      what: `attempt failed: ${error}`,
      set: { error, freshKey },
    });
  }

  /**
   * Stripe refused the call, for good. `inDoubt`: an earlier call of the same event may have arrived, so
   * that its sums are asked before it is laid aside (DL14); else it is known that Stripe does not have it.
   */
  async function noteRefusal(
    record: UsageRecord,
    refusal: string,
    { inDoubt, now }: { inDoubt: boolean; now: string },
  ): Promise<UsageRecord | undefined> {
    return await change(record.identifier, ['sending'], {
      now,
      what: `refused: ${refusal}`,
      set: { error: refusal, refusal },
      ...(inDoubt ? {} : { remove: ['doubtSince'] }),
      as: record,
    });
  }

  /**
   * Of a record that takes several meter events: the one at `place` has arrived. `next`: the one after it
   * is about to be sent, and is in doubt from now on. Undefined when the record was settled meanwhile.
   */
  async function noteEvent(
    record: UsageRecord,
    place: number,
    line: { what: string; now: string; next: boolean; provenBy: Record<string, Proof> },
  ): Promise<UsageRecord | undefined> {
    const { what, now, next, provenBy } = line;
    const arrived = [...(record.arrived ?? []), place];
    return await change(record.identifier, undelivered, {
      now,
      what,
      set: { arrived, provenBy, ...(next ? { doubtSince: now, lastAttemptAt: now } : {}) },
      // What was refused meanwhile was this event, which had arrived before.
      ...(next ? {} : { remove: ['doubtSince', 'refusal'] }),
      as: record,
    });
  }

  /** Stripe's sums prove that nothing of it which was in doubt has arrived: it may be sent as if anew. */
  async function noteAbsent(record: UsageRecord, now: string): Promise<void> {
    await change(record.identifier, [...undelivered, ...laidAside], {
      now,
      what: 'Stripe does not have it, by its own sums',
      set: {},
      remove: ['doubtSince'],
      as: record,
    });
  }

  /** Put off to `nextAttemptAt` after a round of retries; `gaveUp`: only to ask Stripe's sums once more. */
  async function defer(
    identifier: string,
    put: { nextAttemptAt: string; error: string; now: string; gaveUp?: string },
  ): Promise<UsageRecord | undefined> {
    const { nextAttemptAt, error, now, gaveUp } = put;
    return await change(identifier, undelivered, {
      now,
      what: `put off to ${nextAttemptAt}: ${error}`,
      set: { state: 'pending', nextAttemptAt, error },
      ...(gaveUp === undefined ? {} : { setOnce: { gaveUp } }),
      count: 'rounds',
    });
  }

  /** Stripe's sums do not tell yet whether it arrived: they are asked again then (DL14). */
  async function askLater(
    identifier: string,
    nextAttemptAt: string,
    now: string,
  ): Promise<UsageRecord | undefined> {
    return await change(identifier, undelivered, {
      now,
      what: `Stripe’s sums do not tell yet whether it arrived: asked again at ${nextAttemptAt}`,
      set: { state: 'pending', nextAttemptAt },
    });
  }

  /** Laid aside for a person: `rejected` when it can never be sent, `parked` when retries ran out. */
  async function layAside(
    identifier: string,
    state: 'rejected' | 'parked',
    error: string,
    now: string,
  ): Promise<UsageRecord | undefined> {
    return await change(identifier, undelivered, {
      now,
      what: `${state}: ${error}`,
      set: { state, error },
      remove: ['deliveryShard', 'nextAttemptAt'],
    });
  }

  return {
    claim,
    unclaim,
    confirm,
    noteFailure,
    noteRefusal,
    noteEvent,
    noteAbsent,
    defer,
    askLater,
    layAside,
  };
}
