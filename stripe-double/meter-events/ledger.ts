import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { formatDecimal, parseDecimal } from '../core/decimal.ts';
import type { Collection, Store } from '../core/store.ts';

const meterEventSchema = z.object({
  /** The double's own number, in the order of arrival; Stripe has none. */
  sequence: z.int(),
  identifier: z.string(),
  eventName: z.string(),
  meterId: z.string(),
  customer: z.string(),
  value: z.string(),
  /** When the usage happened, in seconds, as the caller said. */
  timestamp: z.int(),
  receivedAtMs: z.number(),
});
export type MeterEvent = z.infer<typeof meterEventSchema>;

/** The sum of all that was accepted for one customer and meter. */
export type MeterTotal = { customer: string; eventName: string; total: string; events: number };

export type SummedEvent = { timestamp: number; receivedAtMs: number; units: bigint };
type Series = { customer: string; eventName: string; total: bigint; events: SummedEvent[] };

/** Accepted meter events with what is derived from them: sums, series and known identifiers. */
export class MeterLedger {
  readonly #events: Collection<MeterEvent>;
  readonly #clock: Clock;
  readonly #identifierMemoryMs: number;
  #series = new Map<string, Series>();
  #acceptedAtMs = new Map<string, number>();
  #sequence = 0;

  constructor(store: Store, clock: Clock, identifierMemoryMs: number) {
    this.#clock = clock;
    this.#identifierMemoryMs = identifierMemoryMs;
    this.#events = store.open('meter_events', meterEventSchema);
    for (const event of this.#events.values()) this.#index(event);
  }

  /**
   * Whether Stripe would still know this identifier. It does for at least 24 hours, rolling; later
   * it may count a duplicate again, and the double always does, so that nobody leans on it.
   */
  remembers(identifier: string): boolean {
    const acceptedAtMs = this.#acceptedAtMs.get(identifier);
    if (acceptedAtMs === undefined) return false;
    return this.#clock.nowMs() - acceptedAtMs < this.#identifierMemoryMs;
  }

  add(event: Omit<MeterEvent, 'sequence' | 'receivedAtMs'>): MeterEvent {
    const accepted = { ...event, sequence: this.#sequence + 1, receivedAtMs: this.#clock.nowMs() };
    this.#events.put(String(accepted.sequence), accepted);
    this.#index(accepted);
    return accepted;
  }

  /** Takes an event out of the sums; its identifier stays known. */
  lose(identifier: string): void {
    for (const event of this.#events.values()) {
      if (event.identifier !== identifier || event.value === '0') continue;
      this.#events.put(String(event.sequence), { ...event, value: '0' });
      const key = JSON.stringify([event.customer, event.eventName]);
      const series = this.#series.get(key);
      const lost = parseDecimal(event.value) ?? 0n;
      if (series === undefined) continue;
      series.total -= lost;
      const place = series.events.findIndex(
        ({ timestamp, receivedAtMs, units }) =>
          timestamp === event.timestamp && receivedAtMs === event.receivedAtMs && units === lost,
      );
      series.events.splice(place, 1);
    }
  }

  /** Events newest first. */
  *newest(): Generator<MeterEvent> {
    for (let sequence = this.#sequence; sequence > 0; sequence -= 1) {
      const event = this.#events.get(String(sequence));
      if (event !== undefined) yield event;
    }
  }

  get size(): number {
    return this.#events.size;
  }

  seriesOf(customer: string, eventName: string): readonly SummedEvent[] {
    return this.#series.get(JSON.stringify([customer, eventName]))?.events ?? [];
  }

  totals(): MeterTotal[] {
    return [...this.#series.values()].map(({ customer, eventName, total, events }) => ({
      customer,
      eventName,
      total: formatDecimal(total),
      events: events.length,
    }));
  }

  /** Forgets what is derived, after the store was cleared. */
  reset(): void {
    this.#series = new Map();
    this.#acceptedAtMs = new Map();
    this.#sequence = 0;
  }

  #index(event: MeterEvent): void {
    const { customer, eventName, timestamp, receivedAtMs } = event;
    const units = parseDecimal(event.value) ?? 0n;
    const key = JSON.stringify([customer, eventName]);
    const series = this.#series.get(key) ?? { customer, eventName, total: 0n, events: [] };
    series.total += units;
    series.events.push({ timestamp, receivedAtMs, units });
    this.#series.set(key, series);
    this.#acceptedAtMs.set(event.identifier, receivedAtMs);
    this.#sequence = Math.max(this.#sequence, event.sequence);
  }
}
