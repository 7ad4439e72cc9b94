/**
 * The meter events of one usage record. Stripe takes 15 significant digits in a value, so a larger quantity
 * goes in several events whose sum is exact (DL7): `identifier`, `identifier.2`, `identifier.3` …
 */

/** Whether trailing zeros are significant Stripe does not say: all digits are counted. */
const largestValue = 999_999_999_999_999n;

/** 99 petabytes in one record: more is a mistake before it is usage. */
const mostEvents = 99;

/** Stripe's limit for a meter event's `identifier`. */
const longestIdentifier = 100;

export interface MeterEvent {
  identifier: string;
  /** Digits, 15 at most. */
  value: string;
}

interface Quantity {
  identifier: string;
  quantity: string;
}

/**
 * In the order in which they are sent; one for nearly every record. Of a quantity that `refusedQuantity`
 * refuses they are not all.
 */
export function meterEventsOf({ identifier, quantity }: Quantity): MeterEvent[] {
  const events: MeterEvent[] = [];
  for (let left = BigInt(quantity); left > 0n && events.length < mostEvents; left -= largestValue) {
    const value = left > largestValue ? largestValue : left;
    events.push({
      identifier: eventIdentifier(identifier, events.length + 1),
      value: String(value),
    });
  }
  return events;
}

/** Why a quantity can not be sent, or undefined. */
export function refusedQuantity({ identifier, quantity }: Quantity): string | undefined {
  const events = (BigInt(quantity) + largestValue - 1n) / largestValue;
  if (events > BigInt(mostEvents)) {
    return `value ${quantity} would take more than ${mostEvents} meter events of 15 digits`;
  }
  const last = eventIdentifier(identifier, Number(events));
  if (last.length > longestIdentifier) {
    return `identifier ${last} has more than the ${longestIdentifier} characters that Stripe accepts`;
  }
  return undefined;
}

/**
 * The record that an identifier would be a later event of, and its place among them (2 …); undefined when
 * it has no such name. `job.2` is the second event of `job`, if `job` has two.
 */
export function laterEventOf(
  identifier: string,
): { identifier: string; place: number } | undefined {
  const [, base, number] = /^(.+)\.([1-9][0-9]?)$/.exec(identifier) ?? [];
  const place = Number(number);
  return base === undefined || place < 2 ? undefined : { identifier: base, place };
}

function eventIdentifier(identifier: string, place: number): string {
  return place <= 1 ? identifier : `${identifier}.${place}`;
}
