/**
 * Usage that Stripe took and refused later (WH9): its records become `rejected`, with the reason. A report
 * names samples; for what it only counts Stripe's sums are compared with ours (WH14).
 */
import type Stripe from 'stripe';
import {
  eventCalled,
  laterEventOf,
  meterEventsOf,
  parseEventName,
  shortenedFrom,
} from '../domain/meter-events.ts';
import { readMeterErrorReport, tellsOfDelivery } from '../domain/meter-error-report.ts';
import type { UsageRecord } from '../domain/usage.ts';
import type { InboxEvent } from '../tables/webhook-events.ts';
import type { Dependencies } from './dependencies.ts';
import { findMissing } from './find-missing-usage.ts';
import { refuseLater, settleRefused } from './settle-usage.ts';

/** The event is thin: its report is fetched. Throws when usage is missing that it does not name. */
export async function rejectReported(
  deps: Dependencies,
  stripe: Stripe,
  { eventId, createdAt }: Pick<InboxEvent, 'eventId' | 'createdAt'>,
): Promise<void> {
  const event = await stripe.v2.core.events.retrieve(eventId);
  const report = readMeterErrorReport((event as unknown as { data?: unknown }).data);
  for (const { key, reason } of report.named) {
    const found = await findEvent(deps, key);
    if (found !== undefined) await rejectOne(deps, found, { reason, reportedAt: createdAt });
  }
  if (report.unnamed === 0) return;
  const meterId = (event as { related_object?: { id?: string } | null }).related_object?.id;
  const missing = await findMissing(deps, stripe, report, meterId);
  if (missing.length === 0) return;
  throw new Error(
    `Stripe refused ${report.unnamed} more than it names, and its sums are short: ${missing.join('; ')}`,
  );
}

/** One of the meter events of a record. */
interface Found {
  record: UsageRecord;
  place: number;
  /** Of the refusals that its name tells of. */
  refusals: number;
}

/**
 * A report that was heard already changes nothing: the event has had another name since (DL17), or Stripe
 * took it anew after the report was made (WH14). If we died when it was heard, the source may not
 * have been told yet.
 */
async function rejectOne(
  deps: Dependencies,
  { record, place, refusals }: Found,
  { reason, reportedAt }: { reason: string; reportedAt: string },
): Promise<void> {
  const isHeard = (record.refusals?.[place] ?? 0) !== refusals;
  if (!isHeard && tellsOfDelivery(reportedAt, place, record)) {
    await refuseLater(deps, record, place, `Stripe refused it later: ${reason}`);
    return;
  }
  if (record.state === 'rejected' || record.state === 'parked') await settleRefused(deps, record);
}

/** By the identifier, or the idempotency key, of any of its meter events (DL7). */
async function findEvent(deps: Dependencies, key: string): Promise<Found | undefined> {
  const { ledger } = deps;
  const { name, refusals } = parseEventName(key);
  const found = await ledger.get(name);
  if (found !== undefined) return { record: found, place: 1, refusals };
  const later = laterEventOf(name);
  const base = later === undefined ? undefined : await ledger.get(later.identifier);
  if (later === undefined || base === undefined) return await findShortened(deps, key);
  if (meterEventsOf(base).length < later.place) return undefined;
  return { record: base, place: later.place, refusals };
}

/** A name that had to be shortened (DL17) is none to look up: it is compared with those that the record had. */
async function findShortened({ ledger }: Dependencies, key: string): Promise<Found | undefined> {
  const begin = shortenedFrom(key);
  if (begin === undefined) return undefined;
  for await (const record of ledger.beginningWith(begin)) {
    const event = eventCalled(record, key);
    if (event !== undefined) return { record, ...event };
  }
  return undefined;
}
