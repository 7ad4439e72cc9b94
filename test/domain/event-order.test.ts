/**
 * WH3, WH4 and I6 without a server: a model of Stripe's past, of the inbox's line and of the rules of the
 * two tables, with the real `detectChanges`, `planHistory` and `billingStatusOf`.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { billingStatusOf, hasBegunAndEnded, hasEnded } from '../../domain/billing-status.ts';
import { planHistory } from '../../domain/history.ts';
import { detectChanges } from '../../domain/subscription.ts';
import type { SubscriptionState } from '../../domain/subscription.ts';

interface Payment {
  status: 'succeeded' | 'failed';
  /** When it was made first: which payment is the last does not depend on when it was applied. */
  madeAt: number;
}
type Truth = SubscriptionState | Payment;

/** Something changed at Stripe. Events may be twins, which tell of one fact: their keys are the same. */
interface Change {
  object: string;
  truth: Truth;
  twins: number;
}
interface StripeEvent {
  id: string;
  object: string;
  /** The change it tells of, by its place in the timeline. */
  tick: number;
  key: string;
}
/** An event is applied: fetched at one time, written at another, by an attempt that may be a late one. */
interface Delivery {
  event: StripeEvent;
  fetchedAt: number;
  writtenAt: number;
}

const isPayment = (truth: Truth): truth is Payment => 'madeAt' in truth;

/** What Stripe answers at a time; undefined before the object was made. */
function truthAt(changes: readonly Change[], object: string, tick: number): Truth | undefined {
  return changes.findLast((change, index) => change.object === object && index <= tick)?.truth;
}

/** What an event's own snapshot tells of its change. */
function toldBy(changes: readonly Change[], { object, tick }: StripeEvent): unknown {
  const after = truthAt(changes, object, tick);
  const before = truthAt(changes, object, tick - 1);
  if (after === undefined || isPayment(after)) return after?.status;
  return detectChanges(before === undefined || isPayment(before) ? undefined : before, after);
}

/** Few, so that a past of seven changes is too long for it. */
const mostKept = 3;

/** The mirror's rule: an older answer never overwrites. The history's, of each row: `planHistory`. */
class Store {
  readonly rows = new Map<string, { truth: Truth; fetchedAt: number }>();
  readonly history = new Map<string, Record<string, { at: string; told: unknown }>>();
  billingStatus = 'none';

  apply(changes: readonly Change[], { event, fetchedAt }: Delivery): void {
    const truth = truthAt(changes, event.object, fetchedAt);
    if (truth === undefined) throw new Error('an event came before its object');
    const stored = this.rows.get(event.object);
    if (stored === undefined || stored.fetchedAt <= fetchedAt) {
      this.rows.set(event.object, { truth, fetchedAt });
    }
    this.#tell(event, toldBy(changes, event));
    this.#refresh();
  }

  #tell({ object, key, tick }: StripeEvent, told: unknown): void {
    if (Array.isArray(told) && told.length === 0) return;
    const history = this.history.get(object) ?? {};
    const entry = { at: String(tick), told };
    const { add, remove } = planHistory(history, key, entry, mostKept);
    if (!add) return;
    const kept = Object.entries(history).filter(([name]) => !remove.includes(name));
    this.history.set(object, Object.fromEntries([...kept, [key, entry]]));
  }

  #refresh(): void {
    const truths = [...this.rows.values()].map(({ truth: stored }) => stored);
    const statuses = truths.filter((truth) => !isPayment(truth)).map(({ status }) => status);
    this.billingStatus = billingStatusOf({
      openDebts: truths.filter((truth) => isPayment(truth) && truth.status === 'failed').length,
      subscriptions: statuses.filter((status) => !hasEnded(status)),
      hadSubscription: statuses.some((status) => hasBegunAndEnded(status)),
      paidCheckout: false,
    });
  }

  /** All that anyone can see, in one order. */
  final(): unknown {
    const sorted = <T>(map: Map<string, T>): [string, T][] =>
      [...map].toSorted(([one], [other]) => one.localeCompare(other));
    return {
      mirror: sorted(this.rows).map(([object, { truth }]) => [object, truth]),
      history: sorted(this.history).map(([object, history]) => [
        object,
        sorted(new Map(Object.entries(history))).map(([key, { told }]) => [key, told]),
      ]),
      billingStatus: this.billingStatus,
    };
  }
}

const subscriptionChange = fc.record({
  object: fc.constantFrom('sub_1', 'sub_2'),
  truth: fc.record({
    status: fc.constantFrom('active', 'past_due', 'trialing', 'paused', 'canceled', 'unpaid'),
    prices: fc.subarray(['price_a', 'price_b'], { minLength: 1 }),
    cancelAtPeriodEnd: fc.boolean(),
    paused: fc.boolean(),
  }),
  twins: fc.constant(1),
});
const paymentChange = fc
  .record({
    which: fc.constantFrom(1, 2),
    status: fc.constantFrom('succeeded' as const, 'failed' as const),
    twins: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ which, status, twins }) => ({
    object: `pi_${which}`,
    truth: { status, madeAt: which },
    twins,
  }));
const timeline: fc.Arbitrary<Change[]> = fc.array(fc.oneof(subscriptionChange, paymentChange), {
  minLength: 1,
  maxLength: 7,
});

function eventsOf(changes: readonly Change[]): StripeEvent[] {
  return changes.flatMap(({ object, truth, twins }, tick) =>
    Array.from({ length: twins }, (_, twin) => {
      const id = `evt_${tick}_${twin}`;
      return { id, object, tick, key: isPayment(truth) ? `${object}/${tick}` : id };
    }),
  );
}

/** A small generator of our own: ten thousand orders of each past are drawn in a second. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Every event one to three times, whenever it likes once it exists, in the order of writing. */
function deliver(changes: readonly Change[], random: (below: number) => number): Delivery[] {
  const span = changes.length + 3;
  const deliveries = eventsOf(changes).flatMap((event) =>
    Array.from({ length: 1 + random(3) }, () => {
      const fetchedAt = event.tick + random(span - event.tick);
      // An attempt that was given up may still write, long after the one that followed it.
      const writtenAt = fetchedAt + random(2) * random(span);
      return { event, fetchedAt, writtenAt, tie: random(1000) };
    }),
  );
  return deliveries.toSorted(
    (one, other) => one.writtenAt - other.writtenAt || one.tie - other.tie,
  );
}

function run(changes: readonly Change[], deliveries: readonly Delivery[]): unknown {
  const store = new Store();
  for (const delivery of deliveries) store.apply(changes, delivery);
  return store.final();
}

/** What must come out: every event once, as it happens. */
function inOrder(changes: readonly Change[]): unknown {
  return run(
    changes,
    eventsOf(changes).map((event) => ({ event, fetchedAt: event.tick, writtenAt: event.tick })),
  );
}

test('WH3 WH4 I6 in 10,000 orders with duplicates and late writers all ends the same', () => {
  const check = fc.check(
    fc.property(timeline, fc.integer(), (changes, seed) => {
      const random = randomFrom(seed);
      const expected = JSON.stringify(inOrder(changes));
      for (let order = 0; order < 50; order += 1) {
        if (JSON.stringify(run(changes, deliver(changes, random))) !== expected) return false;
      }
      return true;
    }),
    { numRuns: 200 },
  );
  expect(check.counterexample).toBeNull();
});

/** The keys of what changed an object, the newest of them, each once. */
function newestFacts(changes: readonly Change[], object: string): string[] {
  const telling = eventsOf(changes).filter((event) => {
    const told = toldBy(changes, event);
    return event.object === object && !(Array.isArray(told) && told.length === 0);
  });
  return [...new Set(telling.map(({ key }) => key))].slice(-mostKept).toSorted();
}

test('WH4 the end is the truth at Stripe, and the history holds the newest facts, each once', () => {
  const check = fc.check(
    fc.property(timeline, fc.integer(), (changes, seed) => {
      const store = new Store();
      for (const delivery of deliver(changes, randomFrom(seed))) store.apply(changes, delivery);
      const objects = new Set(changes.map(({ object }) => object));
      const isTrue = [...objects].every(
        (object) => store.rows.get(object)?.truth === truthAt(changes, object, changes.length),
      );
      const isTold = [...objects].every((object) => {
        const keys = Object.keys(store.history.get(object) ?? {});
        return keys.toSorted().join() === newestFacts(changes, object).join();
      });
      return isTrue && isTold && store.rows.size === objects.size;
    }),
    { numRuns: 500 },
  );
  expect(check.counterexample).toBeNull();
});

test('WH4 a failed payment and its success, the wrong way round and twice', () => {
  const changes: Change[] = [
    { object: 'pi_1', truth: { status: 'failed', madeAt: 1 }, twins: 1 },
    { object: 'pi_1', truth: { status: 'succeeded', madeAt: 1 }, twins: 2 },
  ];
  const [failed, paid, twin] = eventsOf(changes);
  if (failed === undefined || paid === undefined || twin === undefined) throw new Error('no event');
  const at = (event: StripeEvent, fetchedAt: number) => ({ event, fetchedAt, writtenAt: 9 });
  const expected = {
    mirror: [['pi_1', { status: 'succeeded', madeAt: 1 }]],
    history: [
      [
        'pi_1',
        [
          ['pi_1/0', 'failed'],
          ['pi_1/1', 'succeeded'],
        ],
      ],
    ],
    billingStatus: 'none',
  };
  expect(run(changes, [at(paid, 1), at(twin, 2), at(failed, 3), at(paid, 4)])).toEqual(expected);
  // The failed event's first attempt asked Stripe before the success, and wrote after it.
  expect(run(changes, [at(paid, 1), at(twin, 1), at(failed, 0)])).toEqual(expected);
});

test('the model can fail: without the mirror’s rule a late writer leaves what was', () => {
  const changes: Change[] = [
    { object: 'pi_1', truth: { status: 'failed', madeAt: 1 }, twins: 1 },
    { object: 'pi_1', truth: { status: 'succeeded', madeAt: 1 }, twins: 1 },
  ];
  const [failed, paid] = eventsOf(changes);
  if (failed === undefined || paid === undefined) throw new Error('no event');
  const careless = new Store();
  careless.apply(changes, { event: paid, fetchedAt: 1, writtenAt: 1 });
  careless.rows.clear();
  careless.apply(changes, { event: failed, fetchedAt: 0, writtenAt: 2 });
  expect(careless.final()).not.toEqual(inOrder(changes));
});
