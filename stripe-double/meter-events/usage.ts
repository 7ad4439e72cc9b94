import type { Account } from '../account/account.ts';
import type { Meter } from '../meters/schema.ts';
import type { SummedEvent } from './ledger.ts';

/** What a meter makes of events, by its formula, in units of 10^-15. */
export function aggregate(meter: Meter, events: readonly SummedEvent[]): bigint {
  switch (meter.default_aggregation.formula) {
    case 'count':
      return BigInt(events.length) * 10n ** 15n;
    case 'last':
      return (
        events.reduce<SummedEvent | undefined>(
          (last, event) => (last === undefined || event.timestamp >= last.timestamp ? event : last),
          undefined,
        )?.units ?? 0n
      );
    case 'sum':
      return events.reduce((sum, { units }) => sum + units, 0n);
  }
}

/**
 * A customer's usage of a meter from `start` up to but without `end`, in units of 10^-15. With `visibleUntilMs`
 * only what was received by then, as sums and previews lag behind.
 */
export function usageBetween(
  account: Account,
  meterId: string,
  customer: string,
  { start, end }: { start: number; end: number },
  visibleUntilMs = Number.POSITIVE_INFINITY,
): bigint {
  const meter = account.meters.get(meterId);
  if (meter === undefined) return 0n;
  const events = account.ledger
    .seriesOf(customer, meter.event_name)
    .filter(
      ({ timestamp, receivedAtMs }) =>
        timestamp >= start && timestamp < end && receivedAtMs <= visibleUntilMs,
    );
  return aggregate(meter, events);
}
