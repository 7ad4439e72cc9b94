import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { newId } from '../core/ids.ts';
import type { Collection, Store } from '../core/store.ts';

export const attemptSchema = z.object({
  atMs: z.number(),
  /** The receiver's status; null when there was no answer. */
  status: z.int().nullable(),
  ms: z.number(),
  error: z.string().nullable(),
});
export type Attempt = z.infer<typeof attemptSchema>;

export const deliverySchema = z.object({
  id: z.string(),
  event: z.string(),
  type: z.string(),
  endpoint: z.string(),
  state: z.enum(['pending', 'delivered', 'failed']),
  createdAtMs: z.number(),
  /** By the machine's clock: retries go on while the double's clock stands still. */
  nextAttemptAtMs: z.number(),
  attempts: z.array(attemptSchema),
});
export type Delivery = z.infer<typeof deliverySchema>;

/** One row for each event and endpoint (and copy), with every attempt that was made. */
export class Deliveries {
  readonly #rows: Collection<Delivery>;
  readonly #clock: Clock;
  readonly #pending = new Map<string, Delivery>();
  readonly #undelivered = new Map<string, number>();
  #delivered = 0;
  #attempts = 0;

  constructor(store: Store, clock: Clock) {
    this.#clock = clock;
    this.#rows = store.open('webhook_deliveries', deliverySchema);
    for (const row of this.#rows.values()) this.#count(row, 1);
  }

  add(event: { id: string; type: string }, endpoint: string, nextAttemptAtMs: number): Delivery {
    const row: Delivery = {
      id: newId('dlv', 16),
      event: event.id,
      type: event.type,
      endpoint,
      state: 'pending',
      createdAtMs: this.#clock.nowMs(),
      nextAttemptAtMs,
      attempts: [],
    };
    return this.#put(row);
  }

  get(id: string): Delivery | undefined {
    return this.#rows.get(id);
  }

  /** Records how an attempt went, and what becomes of the delivery. */
  attempted(id: string, attempt: Attempt, next: Pick<Delivery, 'state' | 'nextAttemptAtMs'>): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#count(row, -1);
    this.#put({ ...row, ...next, attempts: [...row.attempts, attempt] });
  }

  /** How many deliveries of an event did not succeed (yet); what `pending_webhooks` says. */
  undelivered(event: string): number {
    return this.#undelivered.get(event) ?? 0;
  }

  /** What is still to be delivered, oldest first. */
  pending(): IterableIterator<Delivery> {
    return this.#pending.values();
  }

  all(): IterableIterator<Delivery> {
    return this.#rows.values();
  }

  get figures(): { all: number; pending: number; delivered: number; attempts: number } {
    return {
      all: this.#rows.size,
      pending: this.#pending.size,
      delivered: this.#delivered,
      attempts: this.#attempts,
    };
  }

  /** Forgets what is derived, after the store was cleared. */
  reset(): void {
    this.#pending.clear();
    this.#undelivered.clear();
    this.#delivered = 0;
    this.#attempts = 0;
  }

  #put(row: Delivery): Delivery {
    this.#rows.put(row.id, row);
    this.#count(row, 1);
    return row;
  }

  #count(row: Delivery, by: 1 | -1): void {
    this.#attempts += by * row.attempts.length;
    if (row.state === 'delivered') {
      this.#delivered += by;
      this.#pending.delete(row.id);
      return;
    }
    this.#undelivered.set(row.event, this.undelivered(row.event) + by);
    if (row.state === 'failed') this.#pending.delete(row.id);
    else if (by === 1) this.#pending.set(row.id, row);
  }
}
