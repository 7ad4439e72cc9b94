import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { billingStatuses, billingStatusOf, lastPaymentOf } from '../../domain/billing-status.ts';
import type { BillingStatus, Standing } from '../../domain/billing-status.ts';

type Payment = Standing['lastPayment'];
const standing = (statuses: readonly string[], lastPayment: Payment): Standing => ({
  subscriptions: statuses.map((status) => ({ status })),
  ...(lastPayment === undefined ? {} : { lastPayment }),
});

describe('billing status', () => {
  const cases: [statuses: string[], payment: Payment, BillingStatus][] = [
    [[], undefined, 'none'],
    [[], 'succeeded', 'active'],
    [[], 'failed', 'past_due'],
    [['active'], undefined, 'active'],
    [['trialing'], undefined, 'active'],
    [['active'], 'succeeded', 'active'],
    [['active'], 'failed', 'past_due'],
    [['past_due'], 'succeeded', 'past_due'],
    [['unpaid'], undefined, 'past_due'],
    [['active', 'past_due'], 'succeeded', 'past_due'],
    [['canceled'], undefined, 'canceled'],
    [['canceled'], 'succeeded', 'canceled'],
    [['canceled'], 'failed', 'canceled'],
    [['canceled', 'active'], 'succeeded', 'active'],
    // An old subscription that has ended does not hide a payment that failed.
    [['canceled', 'active'], 'failed', 'past_due'],
    [['incomplete'], undefined, 'none'],
    [['incomplete'], 'failed', 'past_due'],
    [['paused'], 'succeeded', 'none'],
    // One that never began is as good as none.
    [['incomplete_expired'], undefined, 'none'],
    [['incomplete_expired'], 'succeeded', 'active'],
    [['incomplete_expired', 'canceled'], undefined, 'canceled'],
    [['incomplete_expired', 'active'], undefined, 'active'],
    [['a status of tomorrow'], undefined, 'none'],
  ];
  test.each(cases)('%j, last payment %s: %s', (statuses, payment, expected) => {
    expect(billingStatusOf(standing(statuses, payment))).toBe(expected);
  });

  test('I6 the order and repetition of subscriptions say nothing', () => {
    const status = fc.constantFrom(
      'active',
      'trialing',
      'past_due',
      'unpaid',
      'canceled',
      'incomplete',
      'incomplete_expired',
      'paused',
    );
    const payment = fc.constantFrom<Payment>('succeeded', 'failed', undefined);
    const shuffled = fc
      .array(status, { maxLength: 6 })
      .chain((statuses) =>
        fc.tuple(
          fc.constant(statuses),
          fc.shuffledSubarray([...statuses, ...statuses], { minLength: 2 * statuses.length }),
        ),
      );
    const check = fc.check(
      fc.property(shuffled, payment, ([statuses, others], lastPayment) => {
        const found = billingStatusOf(standing(statuses, lastPayment));
        const other = billingStatusOf(standing(others, lastPayment));
        return found === other && billingStatuses.includes(found);
      }),
      { numRuns: 2000 },
    );
    expect(check.counterexample).toBeNull();
  });
});

describe('I6 the last payment', () => {
  const paid = (paymentId: string, second: number) => ({
    paymentId,
    stripeCreated: `2026-11-21T10:00:0${second}.000Z`,
  });
  test.each([
    ['of none', [], undefined],
    ['of two', [paid('pi_2', 1), paid('pi_1', 2)], 'pi_1'],
    ['of two of one second, in either order', [paid('pi_1', 1), paid('pi_2', 1)], 'pi_2'],
    ['of two of one second, in either order', [paid('pi_2', 1), paid('pi_1', 1)], 'pi_2'],
  ])('%s', (_what, payments, expected) => {
    expect(lastPaymentOf(payments)?.paymentId).toBe(expected);
  });
});
