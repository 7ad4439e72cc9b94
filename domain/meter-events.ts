/**
 * The meter events of one usage record. Stripe takes 15 significant digits in a value, so a larger quantity
 * goes in several events whose sum is exact (DL7): `identifier`, `identifier.2`, `identifier.3` … An event
 * that Stripe took and refused afterwards goes under a name of its own (DL17): `identifier~2`, then `~3` …
 */
import { fnv1a64 } from './hash.ts';

/** Whether trailing zeros are significant Stripe does not say: all digits are counted. */
const largestValue = 999_999_999_999_999n;

/** 99 petabytes in one record: more is a mistake before it is usage. */
const mostEvents = 99;

/** Stripe's limit for a meter event's `identifier`. */
const longestIdentifier = 100;
/** What stays readable of a name that is shortened. */
const readablePart = 80;

export interface MeterEvent {
  /** 1 for the first. */
  place: number;
  /** As Stripe is told. */
  identifier: string;
  /** In full, where the identifier had to be shortened: the Idempotency-Key is made of it. */
  name: string;
  /** Digits, 15 at most. */
  value: string;
}

interface Quantity {
  identifier: string;
  quantity: string;
  /** How often Stripe took an event and refused it afterwards, by the event's place. */
  refusals?: Readonly<Record<string, number>>;
}

/**
 * In the order in which they are sent; one for nearly every record. Of a quantity that `refusedQuantity`
 * refuses they are not all.
 */
export function meterEventsOf({ identifier, quantity, refusals = {} }: Quantity): MeterEvent[] {
  const events: MeterEvent[] = [];
  for (let left = BigInt(quantity); left > 0n && events.length < mostEvents; left -= largestValue) {
    const place = events.length + 1;
    const value = left > largestValue ? largestValue : left;
    const name = anew(eventName(identifier, place), refusals[place] ?? 0);
    events.push({ place, identifier: shortened(name), name, value: String(value) });
  }
  return events;
}

/** Those that are not known to have arrived, in the order in which they are sent. */
export function missingEvents(
  record: Quantity & { arrived?: readonly number[] },
): [next?: MeterEvent, ...others: MeterEvent[]] {
  const arrived = new Set(record.arrived);
  const [next, ...others] = meterEventsOf(record).filter(({ place }) => !arrived.has(place));
  return next === undefined ? [] : [next, ...others];
}

/** Why a quantity can not be sent, or undefined. */
export function refusedQuantity({ identifier, quantity }: Quantity): string | undefined {
  const events = (BigInt(quantity) + largestValue - 1n) / largestValue;
  if (events > BigInt(mostEvents)) {
    return `value ${quantity} would take more than ${mostEvents} meter events of 15 digits`;
  }
  const last = eventName(identifier, Number(events));
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

/**
 * What an event was called before any refusal, and how many refusals its name tells of: `job.2~3` is
 * `job.2` after two. Takes an Idempotency-Key as well, whose `/attempt-…` is no part of the name.
 */
export function parseEventName(name: string): { name: string; refusals: number } {
  const [, base = name, number = '1'] =
    /^(.+?)(?:~([1-9][0-9]*))?(?:\/attempt-[0-9]+)?$/.exec(name) ?? [];
  return { name: base, refusals: Number(number) - 1 };
}

/** What a record's identifier begins with whose event has such a shortened name; undefined for any other name. */
export function shortenedFrom(name: string): string | undefined {
  const [, begin] = /^(.{80})~[0-9a-f]{16}$/.exec(name) ?? [];
  return begin;
}

/** The event of a record that Stripe knows, or knew before a refusal, under this identifier. */
export function eventCalled(
  record: Quantity,
  identifier: string,
): { place: number; refusals: number } | undefined {
  for (const { place } of meterEventsOf(record)) {
    for (let refusals = 0; refusals <= (record.refusals?.[place] ?? 0); refusals += 1) {
      const name = anew(eventName(record.identifier, place), refusals);
      if (shortened(name) === identifier) return { place, refusals };
    }
  }
  return undefined;
}

function eventName(identifier: string, place: number): string {
  return place <= 1 ? identifier : `${identifier}.${place}`;
}

/** No record's identifier has a `~`, so that such a name is nobody else's. */
function anew(name: string, refusals: number): string {
  return refusals === 0 ? name : `${name}~${refusals + 1}`;
}

/** Only a name that tells of a refusal can be too long: others are refused by `refusedQuantity`. */
function shortened(name: string): string {
  if (name.length <= longestIdentifier) return name;
  return `${name.slice(0, readablePart)}~${fnv1a64(name)}`;
}
