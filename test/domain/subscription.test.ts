import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { detectChanges } from '../../domain/subscription.ts';
import type { SubscriptionChange, SubscriptionState } from '../../domain/subscription.ts';

const basic: SubscriptionState = {
  status: 'active',
  prices: ['price_basic'],
  cancelAtPeriodEnd: false,
  paused: false,
};
const withState = (changes: Partial<SubscriptionState>): SubscriptionState => ({
  ...basic,
  ...changes,
});
const may = '2027-05-01T00:00:00.000Z';
const june = '2027-06-01T00:00:00.000Z';
const toPro = {
  kind: 'plan_changed',
  from: ['price_basic'],
  to: ['price_pro'],
} satisfies SubscriptionChange;

type Case = [
  what: string,
  before: Partial<SubscriptionState>,
  after: Partial<SubscriptionState>,
  expected: SubscriptionChange[],
];
const cases: Case[] = [
  ['nothing', {}, {}, []],
  ['another plan', {}, { prices: ['price_pro'] }, [toPro]],
  [
    'a price more',
    {},
    { prices: ['price_basic', 'price_storage'] },
    [{ kind: 'plan_changed', from: ['price_basic'], to: ['price_basic', 'price_storage'] }],
  ],
  ['ending with the period', {}, { cancelAtPeriodEnd: true }, [{ kind: 'cancellation_scheduled' }]],
  ['ending on a day', {}, { cancelAt: may }, [{ kind: 'cancellation_scheduled', at: may }]],
  [
    'ending with the period, on a day',
    {},
    { cancelAtPeriodEnd: true, cancelAt: may },
    [{ kind: 'cancellation_scheduled', at: may }],
  ],
  [
    'ending on another day',
    { cancelAt: may },
    { cancelAt: june },
    [{ kind: 'cancellation_scheduled', at: june }],
  ],
  ['not ending after all', { cancelAtPeriodEnd: true }, {}, [{ kind: 'cancellation_withdrawn' }]],
  ['no day after all', { cancelAt: may }, {}, [{ kind: 'cancellation_withdrawn' }]],
  ['cancelled', {}, { status: 'canceled' }, [{ kind: 'cancelled' }]],
  [
    'cancelled as scheduled',
    { cancelAtPeriodEnd: true, cancelAt: may },
    { status: 'canceled' },
    [{ kind: 'cancelled' }],
  ],
  ['cancelled while paused', { paused: true }, { status: 'canceled' }, [{ kind: 'cancelled' }]],
  ['paused', {}, { paused: true }, [{ kind: 'paused' }]],
  ['paused by status', { status: 'trialing' }, { status: 'paused' }, [{ kind: 'paused' }]],
  [
    'paused in both ways',
    { paused: true },
    { paused: true, status: 'paused' },
    [changed('paused')],
  ],
  ['resumed', { paused: true }, {}, [{ kind: 'resumed' }]],
  ['resumed by status', { status: 'paused' }, {}, [{ kind: 'resumed' }]],
  ['owing', {}, { status: 'past_due' }, [changed('past_due')]],
  [
    'another plan, and ending',
    {},
    { prices: ['price_pro'], cancelAtPeriodEnd: true },
    [toPro, { kind: 'cancellation_scheduled' }],
  ],
  [
    'everything at once, as a person would tell it',
    { cancelAt: may },
    { prices: ['price_pro'], paused: true },
    [toPro, { kind: 'cancellation_withdrawn' }, { kind: 'paused' }],
  ],
];

function changed(to: string): SubscriptionChange {
  return { kind: 'status_changed', from: 'active', to };
}

describe('changes of a subscription', () => {
  test.each(cases)('%s', (_what, before, after, expected) => {
    expect(detectChanges(withState(before), withState(after))).toStrictEqual(expected);
  });

  test('one that was not known is created, whatever its state', () => {
    expect(detectChanges(undefined, basic)).toStrictEqual([{ kind: 'created' }]);
    expect(detectChanges(undefined, withState({ status: 'canceled', paused: true }))).toStrictEqual(
      [{ kind: 'created' }],
    );
  });

  const anyState: fc.Arbitrary<SubscriptionState> = fc.record(
    {
      status: fc.constantFrom('active', 'trialing', 'past_due', 'paused', 'canceled', 'unpaid'),
      prices: fc.subarray(['price_a', 'price_b', 'price_c']),
      cancelAtPeriodEnd: fc.boolean(),
      paused: fc.boolean(),
      cancelAt: fc.constantFrom(may, june),
    },
    { requiredKeys: ['status', 'prices', 'cancelAtPeriodEnd', 'paused'] },
  );

  test('equal states have no change, and neither is touched', () => {
    const check = fc.check(
      fc.property(anyState, (state) => {
        const copy = structuredClone(state);
        const found = detectChanges(state, copy);
        return found.length === 0 && JSON.stringify(state) === JSON.stringify(copy);
      }),
      { numRuns: 1000 },
    );
    expect(check.counterexample).toBeNull();
  });

  test('a change of status or plan is always told, and each kind at most once', () => {
    const seen = new Set<string>();
    const check = fc.check(
      fc.property(anyState, anyState, (before, after) => {
        const kinds = detectChanges(before, after).map(({ kind }) => kind);
        for (const kind of kinds) seen.add(kind);
        const once = new Set(kinds).size === kinds.length;
        const statusMoved = before.status !== after.status;
        const planMoved = before.prices.join() !== after.prices.join();
        return (
          once &&
          (!statusMoved || kinds.some((kind) => kind !== 'plan_changed')) &&
          planMoved === kinds.includes('plan_changed') &&
          kinds.includes('cancelled') ===
            (after.status === 'canceled' && before.status !== 'canceled') &&
          !(kinds.includes('paused') && kinds.includes('resumed')) &&
          !kinds.includes('created')
        );
      }),
      { numRuns: 5000 },
    );
    expect(check.counterexample).toBeNull();
    expect([...seen].toSorted()).toStrictEqual([
      'cancellation_scheduled',
      'cancellation_withdrawn',
      'cancelled',
      'paused',
      'plan_changed',
      'resumed',
      'status_changed',
    ]);
  });
});
