/** When a usage record may be sent, when it is tried again, and when a person must look (page 6). */
import { meterEventsOf, refusedQuantity } from './meter-events.ts';
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

/** After this long an identifier may have been forgotten: ask Stripe's sums before sending again (DL2). */
export function mustReconcile(record: UsageRecord, nowMs: number): boolean {
  return (
    record.firstAttemptAt !== undefined &&
    nowMs - Date.parse(record.firstAttemptAt) >= identifierMemoryMs
  );
}

export type Deferral = { state: 'pending'; nextAttemptAt: string } | { state: 'parked' };

/**
 * After a round of retries was used up: again in 1, 2, 4 … 60 minutes, for 72 hours since the first
 * attempt or the last redrive, then a dead letter.
 */
export function afterFailedRound(record: UsageRecord, nowMs: number): Deferral {
  const since = record.retryingSince ?? record.firstAttemptAt;
  const sinceMs = since === undefined ? nowMs : Date.parse(since);
  if (nowMs - sinceMs >= givesUpAfterMs) return { state: 'parked' };
  const waitMs = Math.min(hourMs, minuteMs * 2 ** Math.min(record.rounds, 10));
  return { state: 'pending', nextAttemptAt: new Date(nowMs + waitMs).toISOString() };
}

/**
 * What is known of a record's meter events: those that arrived, and the one of which an old attempt may
 * have arrived. They are sent one after another, so it is one at most. Digits.
 */
export function arrivedAndUncertain(record: UsageRecord): { arrived: string; uncertain: string } {
  if (record.state === 'delivered') return { arrived: record.quantity, uncertain: '0' };
  const events = meterEventsOf(record);
  const sent = record.eventsSent ?? 0;
  const arrived = events.slice(0, sent).reduce((sum, { value }) => sum + BigInt(value), 0n);
  const begun = record.attempts > 0 ? events[sent] : undefined;
  return { arrived: String(arrived), uncertain: begun?.value ?? '0' };
}

/** What Stripe and the ledger say about one customer, meter and minute; quantities as digits. */
export interface MinuteOfUsage {
  stripeTotal: string;
  deliveredTotal: string;
  /** Records of that minute begun and not known to have arrived, the asked one included. */
  uncertain: readonly { identifier: string; quantity: string }[];
}

export type Verdict = 'arrived' | 'absent' | 'unclear';

/**
 * Did an old attempt arrive? Exact where the sums leave one answer: nothing extra at Stripe means
 * that none of the uncertain ones arrived, all of it that all did; anything between is for a person.
 */
export function reconcile(identifier: string, minute: MinuteOfUsage): Verdict {
  const extra = BigInt(minute.stripeTotal) - BigInt(minute.deliveredTotal);
  if (extra === 0n) return 'absent';
  const all = minute.uncertain.reduce((sum, { quantity }) => sum + BigInt(quantity), 0n);
  const known = minute.uncertain.some((record) => record.identifier === identifier);
  return known && extra === all ? 'arrived' : 'unclear';
}

/** The whole minute that holds a moment: Stripe's summaries take whole minutes only (seconds, UTC). */
export function minuteOf(iso: string): { startSeconds: number; endSeconds: number } {
  const startSeconds = Math.floor(Date.parse(iso) / minuteMs) * 60;
  return { startSeconds, endSeconds: startSeconds + 60 };
}
