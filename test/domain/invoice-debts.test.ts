import { describe, expect, test } from 'vitest';
import { billedPeriods } from '../../domain/billed-period.ts';
import { endingOf, isOpenDebt, outcomeOf } from '../../domain/invoice-debts.ts';
import type { InvoiceFacts, InvoiceOutcome } from '../../domain/invoice-debts.ts';

const invoice = (more: Partial<InvoiceFacts> = {}): InvoiceFacts => ({
  status: 'open',
  attemptCount: 0,
  amountDue: 5000,
  amountPaid: 0,
  amountCredited: 0,
  intentStatus: 'requires_payment_method',
  ...more,
});

describe('WH16 WH17 an open debt is an invoice that was tried and failed', () => {
  test.each<[string, Partial<InvoiceFacts>, boolean]>([
    ['not tried yet', {}, false],
    ['tried and failed', { attemptCount: 1 }, true],
    ['tried without a card to try', { attemptCount: 1, intentStatus: undefined }, true],
    ['on its way', { attemptCount: 1, intentStatus: 'processing' }, false],
    ['waiting for the bank', { attemptCount: 1, intentStatus: 'requires_action' }, false],
    ['a draft', { status: 'draft', attemptCount: 1 }, false],
    ['paid', { status: 'paid', attemptCount: 2, intentStatus: 'succeeded' }, false],
    ['paid out of band', { status: 'paid', attemptCount: 2, intentStatus: 'canceled' }, false],
    ['voided', { status: 'void', attemptCount: 1, intentStatus: 'canceled' }, false],
    ['written off', { status: 'uncollectible', attemptCount: 1 }, false],
    ['deleted', { status: 'deleted' }, false],
  ])('%s', (_what, more, owed) => {
    expect(isOpenDebt(invoice(more))).toBe(owed);
  });
});

describe('WH17 WH18 the payment that an invoice is', () => {
  test.each<[string, Partial<InvoiceFacts>, InvoiceOutcome | undefined]>([
    ['not tried', {}, undefined],
    ['$0 (WH18)', { status: 'paid', amountDue: 0, intentStatus: undefined }, undefined],
    ['failed', { attemptCount: 1 }, { status: 'failed', amount: 5000, endedBy: undefined }],
    ['the first attempt on its way', { attemptCount: 1, intentStatus: 'processing' }, undefined],
    [
      'the second attempt on its way',
      { attemptCount: 2, intentStatus: 'processing' },
      { status: 'failed', amount: 5000, endedBy: undefined },
    ],
    [
      'paid by card',
      { status: 'paid', amountPaid: 5000, intentStatus: 'succeeded' },
      { status: 'succeeded', amount: 5000, endedBy: 'payment' },
    ],
    [
      'paid by bank transfer',
      { status: 'paid', attemptCount: 2, amountPaid: 5000, intentStatus: 'canceled' },
      { status: 'succeeded', amount: 5000, endedBy: 'out_of_band' },
    ],
    [
      'paid out of band, without an amount paid',
      { status: 'paid', attemptCount: 1, intentStatus: 'canceled' },
      { status: 'succeeded', amount: 5000, endedBy: 'out_of_band' },
    ],
    [
      'voided after a failure',
      { status: 'void', attemptCount: 1, intentStatus: 'canceled' },
      { status: 'failed', amount: 5000, endedBy: 'void' },
    ],
    ['voided before it was tried', { status: 'void', intentStatus: 'canceled' }, undefined],
    [
      'written off',
      { status: 'uncollectible', attemptCount: 1 },
      { status: 'failed', amount: 5000, endedBy: 'write_off' },
    ],
    [
      'credited in full after a failure',
      { status: 'paid', attemptCount: 1, amountCredited: 5000, intentStatus: 'canceled' },
      { status: 'failed', amount: 5000, endedBy: 'credit' },
    ],
    [
      'credited in full, never tried',
      { status: 'paid', amountCredited: 5000, intentStatus: 'canceled' },
      undefined,
    ],
    [
      'credited in part and paid',
      { status: 'paid', amountPaid: 3000, amountCredited: 2000, intentStatus: 'succeeded' },
      { status: 'succeeded', amount: 3000, endedBy: 'payment' },
    ],
  ])('%s', (_what, more, outcome) => {
    expect(outcomeOf(invoice(more))).toEqual(outcome);
  });

  test.each([
    ['open', undefined],
    ['draft', undefined],
    ['deleted', undefined],
    ['void', 'void'],
    ['uncollectible', 'write_off'],
  ] as const)('%s ends by %s', (status, ending) => {
    expect(endingOf(invoice({ status }))).toBe(ending);
  });
});

describe('WH22 the period that an invoice bills', () => {
  const january = { start: '2026-01-01T00:00:00.000Z', end: '2026-02-01T00:00:00.000Z' };
  const february = { start: '2026-02-01T00:00:00.000Z', end: '2026-03-01T00:00:00.000Z' };
  const moment = { start: february.start, end: february.start };
  const renewal = february.start;
  const of = (period: { start: string; end: string }, ofSubscription = true) => ({
    ...period,
    ofSubscription,
  });
  test.each([
    ['usage of the month before', [of(january)], january, undefined, undefined],
    ['a licence of the month to come', [of(february)], february, undefined, undefined],
    [
      'both, told apart',
      [of(february), of(january)],
      { start: january.start, end: february.end },
      january,
      february,
    ],
    [
      'a one-off item beside usage',
      [of(january), of(moment, false)],
      january,
      undefined,
      undefined,
    ],
    ['a one-off item alone', [of(moment, false)], moment, undefined, undefined],
    ['nothing', [], undefined, undefined, undefined],
  ])('%s', (_what, lines, whole, metered, licensed) => {
    expect(billedPeriods(lines, renewal)).toEqual({ whole, metered, licensed });
  });
});
