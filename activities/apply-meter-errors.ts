/** Usage that Stripe took and refused later (WH9): its records become `rejected`, with the reason. */
import type Stripe from 'stripe';
import { laterEventOf, meterEventsOf } from '../domain/meter-events.ts';
import type { UsageRecord } from '../domain/usage.ts';
import type { Dependencies } from './dependencies.ts';
import { refuseDelivered } from './settle-usage.ts';

interface Report {
  reason?: {
    error_types?: {
      code?: string;
      sample_errors?: { error_message?: string; request?: { identifier?: string } }[];
    }[];
  };
}

/** The event is thin: its report is fetched. It names samples only, the rest is in Stripe's dashboard. */
export async function rejectReported(
  deps: Dependencies,
  stripe: Stripe,
  eventId: string,
): Promise<void> {
  const event = await stripe.v2.core.events.retrieve(eventId);
  const { reason } = (event as unknown as { data?: Report }).data ?? {};
  for (const { code = 'refused', sample_errors: samples = [] } of reason?.error_types ?? []) {
    for (const { error_message: message = '', request } of samples) {
      const record = await findRecord(deps, request?.identifier);
      if (record === undefined) continue;
      await refuseDelivered(deps, record, `Stripe refused it later: ${code} ${message}`.trim());
    }
  }
}

/** By the identifier of any of its meter events (DL7). */
async function findRecord(
  { ledger }: Dependencies,
  identifier: string | undefined,
): Promise<UsageRecord | undefined> {
  if (identifier === undefined) return undefined;
  const record = await ledger.get(identifier);
  const later = laterEventOf(identifier);
  if (record !== undefined || later === undefined) return record;
  const base = await ledger.get(later.identifier);
  return base !== undefined && meterEventsOf(base).length >= later.place ? base : undefined;
}
