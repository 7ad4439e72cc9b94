import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { billingStatuses, billingStatusOf } from '../../domain/billing-status.ts';
import type { BillingStatus, Standing } from '../../domain/billing-status.ts';

const standing = (subscriptions: readonly string[], more: Partial<Standing> = {}): Standing => ({
  openDebts: 0,
  subscriptions,
  hadSubscription: false,
  paidCheckout: false,
  ...more,
});
const debt = { openDebts: 1 };
const had = { hadSubscription: true };
const paid = { paidCheckout: true };

describe('WH16 WH17 WH18 billing status: which debts are open', () => {
  const cases: [statuses: string[], more: Partial<Standing>, BillingStatus][] = [
    [[], {}, 'none'],
    [[], debt, 'past_due'],
    [[], paid, 'active'],
    [[], { ...paid, ...debt }, 'past_due'],
    [[], had, 'canceled'],
    [[], { ...had, ...debt }, 'past_due'],
    [[], { ...had, ...paid }, 'active'],
    [['active'], {}, 'active'],
    [['trialing'], {}, 'active'],
    [['active'], debt, 'past_due'],
    [['past_due'], {}, 'past_due'],
    [['unpaid'], paid, 'past_due'],
    [['active', 'past_due'], {}, 'past_due'],
    [['active'], had, 'active'],
    [['incomplete'], {}, 'none'],
    [['incomplete'], debt, 'past_due'],
    [['incomplete'], had, 'none'],
    [['paused'], {}, 'none'],
    [['paused'], had, 'none'],
    [['a status of tomorrow'], {}, 'none'],
  ];
  test.each(cases)('%j, %j: %s', (statuses, more, expected) => {
    expect(billingStatusOf(standing(statuses, more))).toBe(expected);
  });

  test('I6 the order and repetition of subscriptions say nothing', () => {
    const status = fc.constantFrom(
      'active',
      'trialing',
      'past_due',
      'unpaid',
      'incomplete',
      'paused',
    );
    const more = fc.record({
      openDebts: fc.nat(2),
      hadSubscription: fc.boolean(),
      paidCheckout: fc.boolean(),
    });
    const shuffled = fc
      .array(status, { maxLength: 6 })
      .chain((statuses) =>
        fc.tuple(
          fc.constant(statuses),
          fc.shuffledSubarray([...statuses, ...statuses], { minLength: 2 * statuses.length }),
        ),
      );
    const check = fc.check(
      fc.property(shuffled, more, ([statuses, others], rest) => {
        const found = billingStatusOf(standing(statuses, rest));
        return found === billingStatusOf(standing(others, rest)) && billingStatuses.includes(found);
      }),
      { numRuns: 2000 },
    );
    expect(check.counterexample).toBeNull();
  });
});
