/**
 * The order of one shard's deliveries: records of one lane (customer and meter) one after the other,
 * lanes side by side, each record not before its time. Deterministic; lives in the workflow's memory
 * as a hint of what the ledger holds.
 */
export interface QueuedDelivery {
  identifier: string;
  lane: string;
  dueAtMs: number;
}

export class DeliveryQueue {
  readonly #waiting = new Map<string, QueuedDelivery>();
  readonly #busyLanes = new Map<string, QueuedDelivery>();

  constructor(entries: readonly QueuedDelivery[] = []) {
    for (const entry of entries) this.add(entry);
  }

  /** A record already waiting or being sent is not queued twice; the earlier time wins. */
  add(entry: QueuedDelivery): void {
    const current = this.#busyLanes.get(entry.lane);
    if (current?.identifier === entry.identifier) return;
    const known = this.#waiting.get(entry.identifier);
    if (known !== undefined && known.dueAtMs <= entry.dueAtMs) return;
    this.#waiting.set(entry.identifier, entry);
  }

  /** Takes out what may be sent now: due, its lane free, at most `limit` lanes busy in all. */
  take(nowMs: number, limit: number): QueuedDelivery[] {
    const taken: QueuedDelivery[] = [];
    for (const entry of this.#waiting.values()) {
      if (this.#busyLanes.size >= limit) break;
      if (entry.dueAtMs > nowMs || this.#busyLanes.has(entry.lane)) continue;
      this.#busyLanes.set(entry.lane, entry);
      taken.push(entry);
    }
    for (const entry of taken) this.#waiting.delete(entry.identifier);
    return taken;
  }

  /** The lane is free again; with a time, the record waits for another round. */
  finish(entry: QueuedDelivery, againAtMs?: number): void {
    this.#busyLanes.delete(entry.lane);
    if (againAtMs !== undefined) this.add({ ...entry, dueAtMs: againAtMs });
  }

  /** When something may be sent next, or undefined when nothing waits in a free lane. */
  nextDueMs(): number | undefined {
    let earliest: number | undefined;
    for (const entry of this.#waiting.values()) {
      if (this.#busyLanes.has(entry.lane)) continue;
      if (earliest === undefined || entry.dueAtMs < earliest) earliest = entry.dueAtMs;
    }
    return earliest;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get inFlight(): number {
    return this.#busyLanes.size;
  }

  /** The first `limit` waiting entries, to be carried over when the workflow goes on as new. */
  carry(limit: number): QueuedDelivery[] {
    return [...this.#waiting.values()].slice(0, limit);
  }
}
