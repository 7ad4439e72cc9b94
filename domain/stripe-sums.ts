/**
 * What Stripe's sums prove about usage that may have arrived (DL2, DL14). They are eventually consistent
 * (Stripe API reference, meter event summary: "asynchronously"), so that they prove nothing about a
 * minute in which something has just happened, and nothing while what must be there is not visible.
 */
import { meterEventsOf, missingEvents } from './meter-events.ts';
import type { UsageRecord } from './usage.ts';

const hourMs = 3_600_000;

/** A call of the last hour may not be in the sums yet. */
const settlingMs = hourMs;
/** Sums that leave several answers so long after the last call leave them for good. */
const patienceMs = 24 * hourMs;

/** One customer, meter and minute. */
export interface MinuteOfUsage {
  /** Digits; undefined when Stripe's number is not exact. */
  stripeTotal: string | undefined;
  /** All records of the ledger, the asked ones included. */
  records: readonly UsageRecord[];
}

/**
 * Of all that is in doubt in the minute: all `arrived`, all `absent`, `not-yet` known, or `unclear` for
 * good, which is for a person.
 */
export type Judgement =
  | { verdict: 'arrived' | 'absent' | 'unclear' }
  | { verdict: 'not-yet'; askAgainAtMs: number };

export function judgeMinute({ stripeTotal, records }: MinuteOfUsage, nowMs: number): Judgement {
  const lastCallMs = Math.max(0, ...records.map(lastCallOf));
  const settledAtMs = lastCallMs + settlingMs;
  if (nowMs < settledAtMs) return { verdict: 'not-yet', askAgainAtMs: settledAtMs };
  const known = records.map(arrivedAndDoubtful);
  const arrived = known.reduce((sum, each) => sum + each.arrived, 0n);
  const doubtful = known.reduce((sum, each) => sum + each.doubtful, 0n);
  const extra = stripeTotal === undefined ? undefined : BigInt(stripeTotal) - arrived;
  if (extra === 0n) return { verdict: 'absent' };
  if (extra === doubtful) return { verdict: 'arrived' };
  const patientUntilMs = lastCallMs + patienceMs;
  if (nowMs >= patientUntilMs) return { verdict: 'unclear' };
  return { verdict: 'not-yet', askAgainAtMs: Math.min(nowMs + settlingMs, patientUntilMs) };
}

/**
 * What is known of a record: what arrived of it, and what an old call may have brought. Its events are
 * sent one after another, so it is one of them at most that is in doubt.
 */
export function arrivedAndDoubtful(record: UsageRecord): { arrived: bigint; doubtful: bigint } {
  if (record.state === 'delivered') return { arrived: BigInt(record.quantity), doubtful: 0n };
  const places = new Set(record.arrived);
  const arrived = meterEventsOf(record)
    .filter(({ place }) => places.has(place))
    .reduce((sum, { value }) => sum + BigInt(value), 0n);
  const [next] = missingEvents(record);
  const isDoubtful = record.doubtSince !== undefined && next !== undefined;
  return { arrived, doubtful: isDoubtful ? BigInt(next.value) : 0n };
}

/** Usage that was never sent was never called for, nor was zero usage. */
function lastCallOf({ attempts, lastAttemptAt, deliveredAt }: UsageRecord): number {
  const at = lastAttemptAt ?? (attempts > 0 ? deliveredAt : undefined);
  return at === undefined ? 0 : Date.parse(at);
}
