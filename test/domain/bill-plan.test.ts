import { describe, expect, test } from 'vitest';
import { planBill } from '../../domain/bill-plan.ts';
import type { BillFacts, BillPlan } from '../../domain/bill-plan.ts';
import { refusalOf } from './support.ts';

const month = '2026-02';
const inTime = Date.parse('2026-03-01T02:00:00.000Z');
const tooLate = Date.parse('2026-05-01T02:00:00.000Z');
const facts = (changes: Partial<BillFacts>): BillFacts => ({
  month,
  nowMs: inTime,
  bill: undefined,
  usage: undefined,
  letter: undefined,
  ...changes,
});

const bills = [undefined, 'pending', 'failed', 'billed'] as const;
const usages = [undefined, 'pending', 'sending', 'delivered', 'rejected', 'parked'] as const;
const letters = [undefined, 'open', 'redriven', 'discarded'] as const;
const every = bills.flatMap((bill) =>
  usages.flatMap((usage) => letters.map((letter) => ({ bill, usage, letter }))),
);

describe('what becomes of a month', () => {
  const cases: [string, Partial<BillFacts>, BillPlan][] = [
    ['nothing is there', {}, { action: 'bill', figures: 'worked-out' }],
    [
      'SB15 it died before the usage was recorded',
      { bill: 'pending' },
      { action: 'retry', figures: 'worked-out' },
    ],
    [
      'SB15 it died before the usage was announced',
      { bill: 'pending', usage: 'pending' },
      { action: 'retry', figures: 'kept' },
    ],
    [
      'SB15 it failed, and its usage is being delivered still',
      { bill: 'failed', usage: 'sending', letter: 'open' },
      { action: 'retry', figures: 'kept' },
    ],
    [
      'SB25 Stripe refused the usage, before or after the bill was billed',
      { bill: 'failed', usage: 'rejected', letter: 'open' },
      { action: 'retry', figures: 'kept' },
    ],
    [
      'it failed, and was redriven before',
      { bill: 'failed', usage: 'parked', letter: 'redriven' },
      { action: 'retry', figures: 'kept' },
    ],
    [
      'SB13 Stripe has it, and the days are not marked',
      { bill: 'pending', usage: 'delivered' },
      { action: 'finish', figures: 'kept' },
    ],
    [
      'the bill is lost, and Stripe has its usage',
      { usage: 'delivered' },
      { action: 'finish', figures: 'worked-out' },
    ],
    ['SB15 it was billed', { bill: 'billed', usage: 'delivered' }, { action: 'skip' }],
    [
      'SB24 its dead letter was discarded',
      { bill: 'failed', usage: 'parked', letter: 'discarded' },
      { action: 'leave' },
    ],
    ['SB24 discarded before there was a bill', { letter: 'discarded' }, { action: 'leave' }],
    [
      'SB24 discarded, and Stripe had it after all',
      { bill: 'failed', usage: 'delivered', letter: 'discarded' },
      { action: 'finish', figures: 'kept' },
    ],
  ];
  test.each(cases)('%s', (_name, changes, plan) => {
    expect(planBill(facts(changes))).toEqual(plan);
  });

  test('SB15 SB24 whatever the tables say: billed is skipped, discarded sends nothing', () => {
    for (const { bill, usage, letter } of every) {
      const { action } = planBill(facts({ bill, usage, letter }));
      const sends = action === 'bill' || action === 'retry';
      const may = bill !== 'billed' && usage !== 'delivered' && letter !== 'discarded';
      expect({ bill, usage, letter, sends }).toEqual({ bill, usage, letter, sends: may });
      expect(action === 'skip').toBe(bill === 'billed');
    }
  });

  test('SB18 too late for new figures: refused; what was recorded in time goes on', () => {
    for (const { bill, usage, letter } of every) {
      const known = bill === 'billed' || (bill !== undefined && usage !== undefined);
      const left = letter === 'discarded' && usage !== 'delivered';
      const plan = () => planBill(facts({ bill, usage, letter, nowMs: tooLate }));
      const inItsTime = planBill(facts({ bill, usage, letter }));
      const expected = known || left ? inItsTime : 'invalid_request';
      expect(known || left ? plan() : refusalOf(plan).code).toEqual(expected);
    }
  });
});
