import type { Account } from '../account/account.ts';
import { noSuch } from '../core/errors.ts';
import type { ThinEvent } from '../events/event-log.ts';

/** Stripe's codes for meter events that it took and refuses later. */
export const meterErrorCodes = [
  'archived_meter',
  'meter_event_customer_not_found',
  'meter_event_dimension_count_too_high',
  'meter_event_invalid_value',
  'meter_event_no_customer_defined',
  'meter_event_value_too_many_digits',
  'missing_dimension_payload_keys',
  'no_meter',
  'timestamp_in_future',
  'timestamp_too_far_in_past',
] as const;
type Code = (typeof meterErrorCodes)[number];

type Wrong = {
  identifier: string;
  code: Code;
  message?: string | undefined;
  /** The sums are without it from now on. */
  lost: boolean;
  /** Counted, and not among the samples. */
  unnamed: boolean;
};
type Report = {
  errors: readonly Wrong[];
  /** A meter's id; without one it is the event that no meter was found. */
  meter?: string | undefined;
};

/**
 * Tells, as Stripe does minutes after it took them, that meter events are wrong. The double's sums
 * do not change, but for those that are said to be lost: what it took, it keeps.
 */
export function reportMeterErrors(account: Account, { errors, meter }: Report): ThinEvent {
  if (meter !== undefined && account.meters.get(meter) === undefined) {
    throw noSuch('meter', meter, 'meter', 400);
  }
  for (const { identifier, lost } of errors) if (lost) account.ledger.lose(identifier);
  const now = account.clock.nowMs();
  const data = {
    developer_message_summary: `There ${errors.length === 1 ? 'is 1 invalid event' : `are ${errors.length} invalid events`}`,
    reason: { error_count: errors.length, error_types: byCode(errors) },
    validation_end: new Date(now).toISOString(),
    validation_start: new Date(now - 10_000).toISOString(),
  };
  if (meter === undefined) {
    return account.events.addThin({
      type: 'v1.billing.meter.no_meter_found',
      related_object: null,
      data,
    });
  }
  const related = { id: meter, type: 'billing.meter', url: `/v1/billing/meters/${meter}` };
  const type = 'v1.billing.meter.error_report_triggered';
  return account.events.addThin({ type, related_object: related, data });
}

function byCode(errors: readonly Wrong[]): object[] {
  const codes = [...new Set(errors.map(({ code }) => code))];
  return codes.map((code) => {
    const those = errors.filter((error) => error.code === code);
    const samples = those
      .filter(({ unnamed }) => !unnamed)
      .map(({ identifier, message }) => ({
        error_message: message ?? `The meter event was refused: ${code}.`,
        request: { identifier },
      }));
    return { code, error_count: those.length, sample_errors: samples };
  });
}
