/**
 * Usage that Stripe took and refused later (WH9): its records become `rejected`, with the reason. A report
 * names samples; for what it only counts Stripe's sums are compared with ours (WH14).
 */
import type Stripe from 'stripe';
import { identifierOfKey } from '../domain/ids.ts';
import { laterEventOf, meterEventsOf } from '../domain/meter-events.ts';
import { readMeterErrorReport, tellsOfDelivery } from '../domain/meter-error-report.ts';
import type { UsageRecord } from '../domain/usage.ts';
import type { InboxEvent } from '../tables/webhook-events.ts';
import type { Dependencies } from './dependencies.ts';
import { findMissing } from './find-missing-usage.ts';
import { refuseDelivered, settle } from './settle-usage.ts';

/** The event is thin: its report is fetched. Throws when usage is missing that it does not name. */
export async function rejectReported(
  deps: Dependencies,
  stripe: Stripe,
  { eventId, createdAt }: Pick<InboxEvent, 'eventId' | 'createdAt'>,
): Promise<void> {
  const event = await stripe.v2.core.events.retrieve(eventId);
  const report = readMeterErrorReport((event as unknown as { data?: unknown }).data);
  for (const { key, reason } of report.named) {
    const record = await findRecord(deps, key);
    if (record !== undefined) await rejectOne(deps, record, { reason, reportedAt: createdAt });
  }
  if (report.unnamed === 0) return;
  const meterId = (event as { related_object?: { id?: string } | null }).related_object?.id;
  const missing = await findMissing(deps, stripe, report, meterId);
  if (missing.length === 0) return;
  throw new Error(
    `Stripe refused ${report.unnamed} more than it names, and its sums are short: ${missing.join('; ')}`,
  );
}

/** A letter that a person closed, and what was delivered anew since, are left as they are (WH14). */
async function rejectOne(
  deps: Dependencies,
  record: UsageRecord,
  { reason, reportedAt }: { reason: string; reportedAt: string },
): Promise<void> {
  if (record.state === 'rejected' || record.state === 'parked') {
    await settle(deps, record);
    return;
  }
  if (!tellsOfDelivery(reportedAt, record)) return;
  await refuseDelivered(deps, record, `Stripe refused it later: ${reason}`);
}

/** By the identifier, or the idempotency key, of any of its meter events (DL7). */
async function findRecord({ ledger }: Dependencies, key: string): Promise<UsageRecord | undefined> {
  const identifier = identifierOfKey(key);
  const record = await ledger.get(identifier);
  const later = laterEventOf(identifier);
  if (record !== undefined || later === undefined) return record;
  const base = await ledger.get(later.identifier);
  return base !== undefined && meterEventsOf(base).length >= later.place ? base : undefined;
}
