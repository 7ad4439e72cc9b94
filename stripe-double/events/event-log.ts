import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { previousAttributes } from '../core/differences.ts';
import { newId } from '../core/ids.ts';
import type { RequestName } from '../core/pipeline-types.ts';
import type { Collection, Store } from '../core/store.ts';

const requestSchema = z.object({
  id: z.string().nullable(),
  idempotency_key: z.string().nullable(),
});

/** A snapshot event as it is kept; what Stripe shows of it is made in `snapshot-events.ts`. */
const snapshotSchema = z.object({
  id: z.string(),
  type: z.string(),
  created: z.int(),
  data: z.object({
    object: z.record(z.string(), z.unknown()),
    previous_attributes: z.record(z.string(), z.unknown()).optional(),
  }),
  request: requestSchema.nullable(),
});
export type SnapshotEvent = z.infer<typeof snapshotSchema>;

/** A thin event as it is kept: its `data` is told only to who fetches it. */
const thinSchema = z.object({
  id: z.string(),
  type: z.string(),
  created: z.string(),
  related_object: z.object({ id: z.string(), type: z.string(), url: z.string() }).nullable(),
  data: z.record(z.string(), z.unknown()),
});
export type ThinEvent = z.infer<typeof thinSchema>;

export type RecordedEvent = { id: string; type: string; isThin: boolean };
type Recorded = (event: RecordedEvent) => void;

/** Every event of the account. Whoever changes an object records here what that means to Stripe. */
export class EventLog {
  readonly snapshots: Collection<SnapshotEvent>;
  readonly thin: Collection<ThinEvent>;
  readonly #clock: Clock;
  readonly #recorded: Recorded;
  #request: RequestName | null = null;

  constructor(store: Store, clock: Clock, recorded: Recorded) {
    this.#clock = clock;
    this.#recorded = recorded;
    this.snapshots = store.open('events', snapshotSchema);
    this.thin = store.open('thin_events', thinSchema);
  }

  /** Runs `work` so that the events it makes name the request. */
  during<Result>(request: RequestName, work: () => Result): Result {
    this.#request = request;
    try {
      return work();
    } finally {
      this.#request = null;
    }
  }

  /** Records that `object` is now as it is. */
  happened(type: string, object: object): void {
    this.#record(type, { object: toSnapshot(object) });
  }

  /** Records a change with what was before; without a difference there is no event. */
  changed(type: string, before: object, after: object): void {
    const previous = previousAttributes(before, after);
    if (Object.keys(previous).length === 0) return;
    this.#record(type, { object: toSnapshot(after), previous_attributes: toSnapshot(previous) });
  }

  addThin(event: Omit<ThinEvent, 'id' | 'created'>): ThinEvent {
    const id = newId('evt_test', 24);
    const created = new Date(this.#clock.nowMs()).toISOString();
    const added = this.thin.put(id, { id, created, ...event });
    this.#recorded({ id, type: event.type, isThin: true });
    return added;
  }

  #record(type: string, data: SnapshotEvent['data']): void {
    const id = newId('evt', 24);
    const created = this.#clock.nowSeconds();
    this.snapshots.put(id, { id, type, created, data, request: this.#request });
    this.#recorded({ id, type, isThin: false });
  }
}

/** A copy that later changes cannot reach. */
function toSnapshot(object: object): Record<string, unknown> {
  return { ...(JSON.parse(JSON.stringify(object)) as Record<string, unknown>) };
}
