import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DeliveryQueue } from '../../domain/delivery-queue.ts';
import type { QueuedDelivery } from '../../domain/delivery-queue.ts';

const laneCount = 3;
/** A record's lane is a fact of the record: the same number has always the same one. */
const entryOf = (record: number, dueAtMs: number): QueuedDelivery => ({
  identifier: `job-${record}`,
  lane: `lane-${record % laneCount}`,
  dueAtMs,
});

type Operation =
  | { do: 'add'; record: number; dueInMs: number }
  | { do: 'take'; passedMs: number; limit: number }
  | { do: 'finish'; which: number; againInMs: number | undefined }
  | { do: 'carry' };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      record: fc.nat({ max: 11 }),
      dueInMs: fc.integer({ min: -3, max: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      passedMs: fc.nat({ max: 4 }),
      limit: fc.nat({ max: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('finish' as const),
      which: fc.nat({ max: 5 }),
      againInMs: fc.option(fc.nat({ max: 5 }), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'carry' as const }) },
);

/** The same rules, written as plainly as they can be: a list that waits and a list that is sent. */
class Model {
  nowMs = 0;
  waiting: QueuedDelivery[] = [];
  sending: QueuedDelivery[] = [];

  knows(identifier: string): boolean {
    return [...this.waiting, ...this.sending].some((entry) => entry.identifier === identifier);
  }

  /** A known record keeps its place; the earlier of the two times wins while it waits. */
  add(entry: QueuedDelivery): void {
    if (!this.knows(entry.identifier)) this.waiting.push(entry);
    this.waiting = this.waiting.map((other) =>
      other.identifier === entry.identifier && entry.dueAtMs < other.dueAtMs ? entry : other,
    );
  }

  free(lane: string): boolean {
    return this.sending.every((entry) => entry.lane !== lane);
  }

  take(limit: number): QueuedDelivery[] {
    const taken: QueuedDelivery[] = [];
    for (const entry of this.waiting.slice()) {
      if (this.sending.length >= limit) break;
      if (entry.dueAtMs > this.nowMs || !this.free(entry.lane)) continue;
      this.waiting = this.waiting.filter((other) => other !== entry);
      this.sending.push(entry);
      taken.push(entry);
    }
    return taken;
  }

  nextDueMs(): number | undefined {
    const due = this.waiting.filter(({ lane }) => this.free(lane)).map(({ dueAtMs }) => dueAtMs);
    return due.length === 0 ? undefined : Math.min(...due);
  }
}

/** What can be seen of a queue from outside after an operation. */
interface Seen {
  taken: QueuedDelivery[];
  waiting: number;
  inFlight: number;
  nextDueMs: number | undefined;
  carried: QueuedDelivery[];
}

/** Carries out the operations on the queue and on the model, and says what both showed after each. */
function play(operations: readonly Operation[]): {
  queue: Seen[];
  model: Seen[];
  broken: string[];
} {
  const model = new Model();
  let queue = new DeliveryQueue();
  const broken: string[] = [];
  const seen = { queue: [] as Seen[], model: [] as Seen[], broken };
  for (const next of operations) {
    let taken: QueuedDelivery[] = [];
    let modelTaken: QueuedDelivery[] = [];
    if (next.do === 'add') {
      const entry = entryOf(next.record, model.nowMs + next.dueInMs);
      queue.add(entry);
      model.add(entry);
    } else if (next.do === 'take') {
      model.nowMs += next.passedMs;
      const before = model.sending.length;
      taken = queue.take(model.nowMs, next.limit);
      modelTaken = model.take(next.limit);
      if (taken.some(({ dueAtMs }) => dueAtMs > model.nowMs)) broken.push('before due');
      if (before + taken.length > Math.max(before, next.limit)) broken.push('limit');
    } else if (next.do === 'finish') {
      const entry = model.sending[next.which % Math.max(1, model.sending.length)];
      if (entry === undefined) continue;
      const againAtMs = next.againInMs === undefined ? undefined : model.nowMs + next.againInMs;
      model.sending = model.sending.filter((other) => other !== entry);
      if (againAtMs !== undefined) model.waiting.push({ ...entry, dueAtMs: againAtMs });
      queue.finish(entry, againAtMs);
    } else if (model.sending.length === 0) {
      // Going on as new: only when nothing is under way.
      queue = new DeliveryQueue(queue.carry(1000));
    }
    const lanes = model.sending.map(({ lane }) => lane);
    if (new Set(lanes).size !== lanes.length) broken.push('two of a lane');
    seen.queue.push({
      taken,
      waiting: queue.waiting,
      inFlight: queue.inFlight,
      nextDueMs: queue.nextDueMs(),
      carried: queue.carry(1000),
    });
    seen.model.push({
      taken: modelTaken,
      waiting: model.waiting.length,
      inFlight: model.sending.length,
      nextDueMs: model.nextDueMs(),
      carried: model.waiting.slice(),
    });
  }
  return seen;
}

describe('DL4 one call at a time per customer and meter', () => {
  test('DL4 never two of a lane, never before due, never lost, never twice, the limit kept', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        const { queue, model, broken } = play(operations);
        expect(queue).toStrictEqual(model);
        expect(broken).toStrictEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  test('DL4 whatever was added is handed out exactly once, and lanes do not wait for each other', () => {
    const added = fc.array(fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 5 })), { maxLength: 40 });
    fc.assert(
      fc.property(added, fc.integer({ min: 1, max: 4 }), (entries, limit) => {
        const queue = new DeliveryQueue(entries.map(([record, due]) => entryOf(record, due)));
        const handedOut: string[] = [];
        for (let nowMs = 0; queue.waiting > 0; nowMs += 1) {
          for (const entry of queue.take(nowMs, limit)) {
            handedOut.push(entry.identifier);
            queue.finish(entry);
          }
        }
        const wanted = new Set(entries.map(([record]) => `job-${record}`));
        expect(handedOut.toSorted()).toStrictEqual([...wanted].toSorted());
      }),
      { numRuns: 200 },
    );
  });

  test('DL4 what is being sent is not queued beside itself', () => {
    const queue = new DeliveryQueue([entryOf(1, 0)]);
    const [taken] = queue.take(0, 20);
    expect(taken).toStrictEqual(entryOf(1, 0));
    queue.add(entryOf(1, 0));
    expect([queue.waiting, queue.inFlight]).toStrictEqual([0, 1]);
    queue.add(entryOf(4, 0));
    expect(queue.take(0, 20)).toStrictEqual([]);
    expect(queue.nextDueMs()).toBe(undefined);
    queue.finish(entryOf(1, 0), 60);
    expect(queue.take(0, 20)).toStrictEqual([entryOf(4, 0)]);
    queue.finish(entryOf(4, 0));
    expect([queue.take(59, 20), queue.take(60, 20)]).toStrictEqual([[], [entryOf(1, 60)]]);
  });

  test('DL4 a limit of none sends nothing; a carry of some leaves the rest to the sweep', () => {
    const queue = new DeliveryQueue([entryOf(1, 0), entryOf(2, 0), entryOf(3, 0)]);
    expect(queue.take(0, 0)).toStrictEqual([]);
    expect(queue.carry(2)).toStrictEqual([entryOf(1, 0), entryOf(2, 0)]);
    expect(queue.waiting).toBe(3);
  });
});
