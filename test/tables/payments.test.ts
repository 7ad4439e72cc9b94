import { describe, expect, test } from 'vitest';
import { createTableStore } from '../../tables/dynamo.ts';
import type { TableStore } from '../../tables/dynamo.ts';
import { createPayments } from '../../tables/payments.ts';
import type { PaymentAttempt, Payments, PaymentTruth } from '../../tables/payments.ts';
import { at, atOnce, rawRows, useDynamodb } from './support.ts';

const database = useDynamodb();
const paymentsAt = (store: TableStore, now: string) =>
  createPayments(createTableStore(database.client(), store.prefix, () => new Date(now)));
async function history() {
  const tables = await database.newStore();
  return { tables, payments: paymentsAt(tables, at(0)) };
}

const sevenYears = 7 * 366 * 86_400;
const truth = (more: Partial<PaymentTruth> = {}): PaymentTruth => ({
  paymentId: 'pi_1',
  status: 'succeeded',
  amount: 123_450,
  currency: 'usd',
  stripeCreated: at(0),
  customerId: 'cus_1',
  ...more,
});
/** As the activities do it: the row is read before Stripe is asked. */
async function store(payments: Payments, said: PaymentTruth) {
  return await payments.mirror(said, (await payments.get(said.paymentId))?.revision ?? 0);
}
const lasting = { createdAt: at(0), expiresAt: Date.parse(at(0)) / 1000 + sevenYears };
const failed: PaymentAttempt = {
  at: at(1),
  outcome: 'failed',
  failureReason: 'card_declined',
  attemptCount: 1,
};
const succeeded: PaymentAttempt = { at: at(5), outcome: 'succeeded', attemptCount: 2 };

describe('WH4 what Stripe said of a payment', () => {
  test('is stored with its life of seven years from when it was made', async () => {
    const { payments } = await history();
    const whole = truth({
      userId: 'user-1',
      subscriptionId: 'sub_1',
      stripePaymentIntentId: 'pi_1',
      stripeInvoiceId: 'in_1',
      billingPeriodStart: at(-9),
      billingPeriodEnd: at(0),
      attemptCount: 1,
    });
    const row = { ...whole, ...lasting, revision: 1, history: {} };
    expect(await payments.mirror(whole, 0)).toStrictEqual({ row });
    expect(await payments.get('pi_1')).toStrictEqual(row);
    expect(await payments.get('pi_10')).toBeUndefined();
  });

  test.each([
    ['when the row was as it is', 1, 'succeeded'],
    ['when there was no row', 0, 'failed'],
    ['before another answer was stored', 2, 'failed'],
  ])('WH4 WH11 an answer asked for %s', async (_when, revision, status) => {
    const { payments } = await history();
    await store(payments, truth({ status: 'failed', failureReason: 'x' }));
    const stored = await payments.mirror(truth(), revision);
    expect(stored === undefined).toBe(status === 'failed');
    expect(await payments.get('pi_1')).toMatchObject({ status });
  });

  test('WH4 WH11 of twenty who read the same row one stores; the others must ask anew', async () => {
    const { payments } = await history();
    const stored = await atOnce(20, async (n) => await payments.mirror(truth({ amount: n }), 0));
    const winner = stored.findIndex((one) => one !== undefined);
    expect(stored.filter((one) => one !== undefined)).toHaveLength(1);
    expect(await payments.get('pi_1')).toMatchObject({ amount: winner, revision: 1 });
  });

  test('WH11 an invoice’s word goes by the invoice’s order, and makes who asked for the intent ask anew', async () => {
    const { payments } = await history();
    await store(payments, truth({ status: 'failed' }));
    expect(await payments.mirrorInvoice(truth({ amount: 3 }), 3)).toBeDefined();
    expect(await payments.mirrorInvoice(truth({ amount: 2 }), 2)).toBeUndefined();
    expect(await payments.mirror(truth({ status: 'failed' }), 1)).toBeUndefined();
    expect(await payments.get('pi_1')).toMatchObject({
      amount: 3,
      revision: 2,
      invoiceRevision: 3,
    });
  });

  test('facts that only the other kind of event knows stay', async () => {
    const { tables, payments } = await history();
    const ofInvoice = truth({ stripeInvoiceId: 'in_1', billingPeriodEnd: at(9), attemptCount: 2 });
    await store(payments, ofInvoice);
    const ofIntent = truth({ stripePaymentIntentId: 'pi_1', stripeInvoiceId: undefined });
    await store(payments, ofIntent);
    expect(await rawRows(tables, 'payments')).toStrictEqual([
      { ...ofInvoice, stripePaymentIntentId: 'pi_1', ...lasting, revision: 2 },
    ]);
  });
});

describe('WH3 attempts', () => {
  test('a failed attempt and its success are one row that keeps both', async () => {
    const { tables, payments } = await history();
    const declined = { failureReason: 'card_declined', attemptCount: 1 };
    await store(payments, truth({ status: 'failed', ...declined }));
    await payments.addAttempt('pi_1', 'invoice/failed/1', failed);
    await store(payments, truth({ attemptCount: 2 }));
    await payments.addAttempt('pi_1', 'invoice/succeeded/2', succeeded);
    expect(await rawRows(tables, 'payments')).toStrictEqual([
      {
        ...truth({ attemptCount: 2 }),
        ...lasting,
        revision: 2,
        history: { 'invoice/failed/1': failed, 'invoice/succeeded/2': succeeded },
      },
    ]);
  });

  test('WH4 the same the wrong way round, with the failure’s answer late', async () => {
    const { payments } = await history();
    await store(payments, truth({ attemptCount: 2 }));
    await payments.addAttempt('pi_1', 'invoice/succeeded/2', succeeded);
    const late = truth({ status: 'failed', failureReason: 'card_declined', attemptCount: 1 });
    expect(await payments.mirror(late, 0)).toBeUndefined();
    await payments.addAttempt('pi_1', 'invoice/failed/1', failed);
    const row = await payments.get('pi_1');
    expect(row).toMatchObject({ status: 'succeeded', attemptCount: 2, revision: 1 });
    expect(row).not.toHaveProperty('failureReason');
    expect(row?.history).toStrictEqual({
      'invoice/failed/1': failed,
      'invoice/succeeded/2': succeeded,
    });
  });

  test('WH3 a fact is told once, by whichever of its events comes first', async () => {
    const { payments } = await history();
    await store(payments, truth());
    await payments.addAttempt('pi_1', 'invoice/succeeded/2', succeeded);
    await payments.addAttempt('pi_1', 'invoice/succeeded/2', { ...succeeded, at: at(7) });
    expect((await payments.get('pi_1'))?.history).toStrictEqual({
      'invoice/succeeded/2': succeeded,
    });
  });

  test('WH3 the newest hundred attempts stay, and one that went does not come back', async () => {
    const { payments } = await history();
    await store(payments, truth());
    const add = async (n: number) =>
      await payments.addAttempt('pi_1', `invoice/failed/${n}`, { ...failed, at: at(n) });
    for (let n = 1; n <= 101; n += 1) await add(n);
    const { row, removed } = await add(1);
    expect(removed).toStrictEqual([]);
    const newest = Array.from({ length: 100 }, (_, n) => `invoice/failed/${n + 2}`);
    expect(Object.keys(row?.history ?? {}).toSorted()).toStrictEqual(newest.toSorted());
    expect(await payments.get('pi_1')).toStrictEqual(row);
  });

  test('WH3 twenty attempts at once, each twice, are twenty entries', async () => {
    const { payments } = await history();
    await store(payments, truth());
    await atOnce(40, async (n) => {
      const attempt = { ...failed, attemptCount: n % 20 };
      await payments.addAttempt('pi_1', `invoice/failed/${n % 20}`, attempt);
    });
    const row = await payments.get('pi_1');
    expect(Object.keys(row?.history ?? {})).toHaveLength(20);
  });
});

describe('reading', () => {
  test('ofCustomer: newest first, over all pages, as many as are wanted', async () => {
    const { payments } = await history();
    await atOnce(230, async (n) => {
      await store(payments, truth({ paymentId: `pi_${n}`, stripeCreated: at(n) }));
    });
    await store(payments, truth({ paymentId: 'pi_x', customerId: 'cus_10' }));
    await store(payments, truth({ paymentId: 'pi_y', customerId: undefined }));
    const ids = async (limit: number) =>
      (await payments.ofCustomer('cus_1', limit)).map(({ paymentId }) => paymentId);
    const newestFirst = Array.from({ length: 230 }, (_, n) => `pi_${229 - n}`);
    expect(await ids(1000)).toStrictEqual(newestFirst);
    expect(await ids(229)).toStrictEqual(newestFirst.slice(0, 229));
    expect(await ids(1)).toStrictEqual(['pi_229']);
    expect(await payments.ofCustomer('cus_2', 5)).toStrictEqual([]);
  });

  test('seven years on a row is as good as gone for every read, to the second', async () => {
    const { tables, payments } = await history();
    await store(payments, truth());
    await store(payments, truth({ paymentId: 'pi_2', stripeCreated: at(10) }));
    const late = await paymentsAt(tables, at(sevenYears)).mirror(truth(), 1);
    expect(late).toStrictEqual({ row: undefined });
    const seen = async (seconds: number) => {
      const reader = paymentsAt(tables, at(seconds));
      const all = await reader.ofCustomer('cus_1', 1000);
      return [(await reader.get('pi_1'))?.paymentId, ...all.map(({ paymentId }) => paymentId)];
    };
    expect(await seen(sevenYears - 1)).toStrictEqual(['pi_1', 'pi_2', 'pi_1']);
    expect(await seen(sevenYears)).toStrictEqual([undefined, 'pi_2']);
    expect(await seen(sevenYears + 10)).toStrictEqual([undefined]);
  });
});
