/** When a usage record may be sent, when it is tried again, and when a person must look (page 6). */
import { refusedQuantity } from './meter-events.ts';
import type { UsageRecord } from './usage.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Stripe refuses meter events older than 35 days or more than 5 minutes ahead (Stripe API reference, meter event `timestamp`). */
const oldestMs = 35 * dayMs;
const aheadMs = 5 * minuteMs;

/** Stripe remembers an identifier for at least 24 h; we stop relying on it an hour before. */
const identifierMemoryMs = 23 * hourMs;

/** A record that could not be delivered for so long waits for a person. */
const givesUpAfterMs = 72 * hourMs;

/** Why Stripe would refuse a meter event of that time, or undefined (FM10). */
export function refusedTimestamp(occurredAt: string, nowMs: number): string | undefined {
  const occurredMs = Date.parse(occurredAt);
  if (Number.isNaN(occurredMs)) return `timestamp ${occurredAt} is not a time`;
  if (occurredMs < nowMs - oldestMs) {
    return `timestamp ${occurredAt} is older than the 35 days that Stripe accepts`;
  }
  if (occurredMs > nowMs + aheadMs) {
    return `timestamp ${occurredAt} is more than 5 minutes ahead, which Stripe refuses`;
  }
  return undefined;
}

/** Why this record must not be sent now, or undefined (FM10). */
export function refusalBeforeSending(record: UsageRecord, nowMs: number): string | undefined {
  return refusedQuantity(record) ?? refusedTimestamp(record.occurredAt, nowMs);
}

export type NextStep =
  | { step: 'send' }
  /** It may be at Stripe already: Stripe's sums are asked before anything else. */
  | { step: 'ask' }
  | { step: 'lay-aside'; state: 'rejected' | 'parked'; reason: string };

/**
 * What becomes of a record that is due. What may have arrived is sent again under the same identifier
 * while Stripe remembers it; after that, or when it must not be sent any more, Stripe's sums are asked
 * first: it is neither refused nor parked while it may be at Stripe (DL2, DL14).
 */
export function nextStep(
  record: UsageRecord,
  nowMs: number,
  unsendable: string | undefined = refusalBeforeSending(record, nowMs),
): NextStep {
  const { doubtSince, gaveUp } = record;
  const refusal = record.refusal ?? unsendable;
  const isOver = refusal !== undefined || gaveUp !== undefined;
  if (doubtSince !== undefined) {
    const forgotten = nowMs - Date.parse(doubtSince) >= identifierMemoryMs;
    return isOver || forgotten ? { step: 'ask' } : { step: 'send' };
  }
  if (refusal !== undefined) return { step: 'lay-aside', state: 'rejected', reason: refusal };
  if (gaveUp !== undefined) return { step: 'lay-aside', state: 'parked', reason: gaveUp };
  return { step: 'send' };
}

export type Deferral =
  | { state: 'pending'; nextAttemptAt: string; gaveUp?: true }
  | { state: 'parked' };

/**
 * After a round of retries was used up: again in 1, 2, 4 … 60 minutes, for 72 hours since the first
 * attempt or the last redrive, then a dead letter. What is in doubt is not parked yet: its sums are
 * asked about when they have had their time, and again while Stripe does not answer.
 */
export function afterFailedRound(record: UsageRecord, nowMs: number): Deferral {
  const since = record.retryingSince ?? record.firstAttemptAt;
  const sinceMs = since === undefined ? nowMs : Date.parse(since);
  const isOver = nowMs - sinceMs >= givesUpAfterMs;
  if (isOver && record.doubtSince === undefined) return { state: 'parked' };
  const waitMs = isOver ? hourMs : Math.min(hourMs, minuteMs * 2 ** Math.min(record.rounds, 10));
  const nextAttemptAt = new Date(nowMs + waitMs).toISOString();
  return { state: 'pending', nextAttemptAt, ...(isOver ? { gaveUp: true } : {}) };
}

/** The whole minute that holds a moment: Stripe's summaries take whole minutes only (seconds, UTC). */
export function minuteOf(iso: string): { startSeconds: number; endSeconds: number } {
  const startSeconds = Math.floor(Date.parse(iso) / minuteMs) * 60;
  return { startSeconds, endSeconds: startSeconds + 60 };
}
