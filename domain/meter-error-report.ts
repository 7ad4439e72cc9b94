/** Reads Stripe's report of meter events that it took and refuses: what it names, and how many it does not. */
import type { UsageRecord } from './usage.ts';

/** https://docs.stripe.com/api/v2/core/event-types/v1/billing/meter/error_report_triggered */
export interface MeterErrorReport {
  named: { key: string; reason: string }[];
  /** Counted, and not among the samples: ten a kind at most. */
  unnamed: number;
  /** Of the time in which Stripe got what it judged, ISO 8601 UTC. */
  from: string | undefined;
  to: string | undefined;
}

interface Wire {
  reason?: {
    error_count?: number;
    error_types?: {
      code?: string;
      error_count?: number;
      sample_errors?: { error_message?: string; request?: { identifier?: string } }[];
    }[];
  };
  validation_start?: string;
  validation_end?: string;
}

export function readMeterErrorReport(data: unknown): MeterErrorReport {
  const { reason, validation_start: from, validation_end: to } = (data ?? {}) as Wire;
  const types = reason?.error_types ?? [];
  const named = types.flatMap(({ code = 'refused', sample_errors: samples = [] }) =>
    samples.flatMap(({ error_message: message = '', request }) =>
      request?.identifier === undefined
        ? []
        : [{ key: request.identifier, reason: `${code} ${message}`.trim() }],
    ),
  );
  const byType = types.reduce((sum, { error_count: count = 0 }) => sum + count, 0);
  const counted = Math.max(reason?.error_count ?? 0, byType);
  return { named, unnamed: Math.max(0, counted - named.length), from, to };
}

/**
 * Whether a report can tell of the meter event at `place` as Stripe has it now. It does not when Stripe took
 * the event anew, by a redrive that began after the report was made (WH14). "Already there" and Stripe's sums
 * tell of the event that the report is about: a redrive that ended so outdates nothing (DL17). A first
 * delivery is never held against a report, since our clock and Stripe's may differ. All ISO 8601 UTC.
 */
export function tellsOfDelivery(
  reportedAt: string,
  place: number,
  { retryingSince, provenBy = {} }: Pick<UsageRecord, 'retryingSince' | 'provenBy'>,
): boolean {
  if (retryingSince === undefined || retryingSince <= reportedAt) return true;
  const proof = provenBy[place];
  return proof?.by !== 'answer' || proof.at < retryingSince;
}
