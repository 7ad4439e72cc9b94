import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { formatDecimal } from '../core/decimal.ts';
import { invalidParameter } from '../core/errors.ts';
import { derivedId } from '../core/ids.ts';
import { pageParams, toPage } from '../core/list.ts';
import { expand, integer, parseParams, text } from '../core/params.ts';
import type { ApiCall, Route } from '../core/router.ts';
import { checkCustomer } from '../customers/customers.ts';
import { findMeter } from '../meters/meters.ts';
import type { Meter } from '../meters/schema.ts';
import type { SummedEvent } from './ledger.ts';
import { aggregate } from './usage.ts';

const listParams = z.strictObject({
  ...pageParams,
  customer: text,
  end_time: integer,
  expand,
  start_time: integer,
  value_grouping_window: z.enum(['hour', 'day']).optional(),
});
type Given = z.infer<typeof listParams>;

const secondsOf = { minute: 60, hour: 3600, day: 86_400 };

/**
 * Meter event summaries (https://docs.stripe.com/api/billing/meter-event-summary): newest first.
 * Without a window one summary for the whole range, with one only the windows that have events.
 */
export function meterEventSummaryRoutes(
  account: Account,
  settings: { summaryLagMs: number },
): Route[] {
  const path = '/v1/billing/meters/:id/event_summaries';
  return [{ method: 'GET', path, handle: (call) => list(account, settings.summaryLagMs, call) }];
}

function list(account: Account, lagMs: number, { params, path, pathIds }: ApiCall): object {
  const given = parseParams(listParams, params);
  checkTimes(given);
  const meter = findMeter(account, pathIds['id']);
  const { customer, start_time: start, end_time: end, value_grouping_window: window } = given;
  checkCustomer(account, customer);
  const visibleUntilMs = account.clock.nowMs() - lagMs;
  const events = account.ledger
    .seriesOf(customer, meter.event_name)
    .filter(
      ({ timestamp, receivedAtMs }) =>
        timestamp >= start && timestamp < end && receivedAtMs <= visibleUntilMs,
    );
  const groups =
    window === undefined
      ? new Map([[start, { end, events }]])
      : groupByWindow(events, secondsOf[window]);
  const summaries = [...groups]
    .sort(([left], [right]) => right - left)
    .map(([from, group]) => toSummary(meter, customer, from, group.end, group.events));
  return toPage(summaries, given, path);
}

function checkTimes(given: Given): void {
  const unit = given.value_grouping_window ?? 'minute';
  for (const param of ['start_time', 'end_time'] as const) {
    if (given[param] % secondsOf[unit] !== 0) {
      const message = `Invalid ${param}: must be aligned with ${unit} boundaries.`;
      throw invalidParameter(param, message);
    }
  }
  if (given.end_time <= given.start_time) {
    throw invalidParameter('end_time', 'Invalid end_time: must be after start_time.');
  }
}

function groupByWindow(events: readonly SummedEvent[], seconds: number) {
  const groups = new Map<number, { end: number; events: SummedEvent[] }>();
  for (const event of events) {
    const start = Math.floor(event.timestamp / seconds) * seconds;
    const group = groups.get(start) ?? { end: start + seconds, events: [] };
    group.events.push(event);
    groups.set(start, group);
  }
  return groups;
}

function toSummary(
  meter: Meter,
  customer: string,
  start: number,
  end: number,
  events: readonly SummedEvent[],
) {
  return {
    id: derivedId('mtrusg_test', meter.id, customer, start, end),
    object: 'billing.meter_event_summary',
    // A JSON number, as at Stripe: beyond 2^53 it is not exact. The control API's sums are.
    aggregated_value: Number(formatDecimal(aggregate(meter, events))),
    end_time: end,
    livemode: false,
    meter: meter.id,
    start_time: start,
  };
}
