import { describe, expect, test } from 'vitest';
import { createTableStore } from '../../tables/dynamo.ts';
import type { TableStore } from '../../tables/dynamo.ts';
import { createPayments } from '../../tables/payments.ts';
import type { PaymentAttempt, PaymentTruth } from '../../tables/payments.ts';
import { at, atOnce, rawRows, useDynamodb } from './support.ts';

const database = useDynamodb();
const paymentsAt = (store: TableStore, now: string) =>
  createPayments(createTableStore(database.client(), store.prefix, () => new Date(now)));
async function history() {
  const store = await database.newStore();
  return { store, payments: paymentsAt(store, at(0)) };
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
    const row = { ...whole, ...lasting, fetchedAt: at(1), history: {} };
    expect(await payments.mirror(whole, at(1))).toStrictEqual({ stored: true, row });
    expect(await payments.get('pi_1')).toStrictEqual(row);
    expect(await payments.get('pi_10')).toBeUndefined();
  });

  test.each([
    ['later', 2, true, 'succeeded'],
    ['in the same moment', 1, true, 'succeeded'],
    ['earlier', 0, false, 'failed'],
    ['a millisecond earlier', 0.999, false, 'failed'],
  ])('WH4 an answer asked for %s', async (_when, second, stored, status) => {
    const { payments } = await history();
    await payments.mirror(truth({ status: 'failed', failureReason: 'x' }), at(1));
    const mirrored = await payments.mirror(truth(), at(second));
    expect(mirrored).toMatchObject({ stored, row: { status } });
    expect(await payments.get('pi_1')).toStrictEqual(mirrored.row);
  });

  test('WH4 of twenty answers at once the youngest stays', async () => {
    const { payments } = await history();
    await atOnce(20, async (n) => await payments.mirror(truth({ amount: n }), at(n)));
    expect(await payments.get('pi_1')).toMatchObject({ amount: 19, fetchedAt: at(19) });
  });

  test('facts that only the other kind of event knows stay', async () => {
    const { store, payments } = await history();
    const ofInvoice = truth({ stripeInvoiceId: 'in_1', billingPeriodEnd: at(9), attemptCount: 2 });
    await payments.mirror(ofInvoice, at(1));
    const ofIntent = truth({ stripePaymentIntentId: 'pi_1', stripeInvoiceId: undefined });
    await payments.mirror(ofIntent, at(2));
    expect(await rawRows(store, 'payments')).toStrictEqual([
      { ...ofInvoice, stripePaymentIntentId: 'pi_1', ...lasting, fetchedAt: at(2) },
    ]);
  });
});

describe('WH3 attempts', () => {
  test('a failed attempt and its success are one row that keeps both', async () => {
    const { store, payments } = await history();
    const declined = { failureReason: 'card_declined', attemptCount: 1 };
    await payments.mirror(truth({ status: 'failed', ...declined }), at(1));
    await payments.addAttempt('pi_1', 'invoice/failed/1', failed);
    await payments.mirror(truth({ attemptCount: 2 }), at(5));
    await payments.addAttempt('pi_1', 'invoice/succeeded/2', succeeded);
    expect(await rawRows(store, 'payments')).toStrictEqual([
      {
        ...truth({ attemptCount: 2 }),
        ...lasting,
        fetchedAt: at(5),
        history: { 'invoice/failed/1': failed, 'invoice/succeeded/2': succeeded },
      },
    ]);
  });

  test('WH4 the same the wrong way round, with the failure’s answer late', async () => {
    const { payments } = await history();
    await payments.mirror(truth({ attemptCount: 2 }), at(5));
    await payments.addAttempt('pi_1', 'invoice/succeeded/2', succeeded);
    const late = truth({ status: 'failed', failureReason: 'card_declined', attemptCount: 1 });
    expect(await payments.mirror(late, at(1))).toMatchObject({ stored: false });
    await payments.addAttempt('pi_1', 'invoice/failed/1', failed);
    const row = await payments.get('pi_1');
    expect(row).toMatchObject({ status: 'succeeded', attemptCount: 2, fetchedAt: at(5) });
    expect(row).not.toHaveProperty('failureReason');
    expect(row?.history).toStrictEqual({
      'invoice/failed/1': failed,
      'invoice/succeeded/2': succeeded,
    });
  });

  test('WH3 a fact is told once, by whichever of its events comes first', async () => {
    const { payments } = await history();
    await payments.mirror(truth(), at(1));
    await payments.addAttempt('pi_1', 'invoice/succeeded/2', succeeded);
    await payments.addAttempt('pi_1', 'invoice/succeeded/2', { ...succeeded, at: at(7) });
    expect((await payments.get('pi_1'))?.history).toStrictEqual({
      'invoice/succeeded/2': succeeded,
    });
  });

  test('WH3 the newest hundred attempts stay, and one that went does not come back', async () => {
    const { payments } = await history();
    await payments.mirror(truth(), at(1));
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
    await payments.mirror(truth(), at(1));
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
      await payments.mirror(truth({ paymentId: `pi_${n}`, stripeCreated: at(n) }), at(300));
    });
    await payments.mirror(truth({ paymentId: 'pi_x', customerId: 'cus_10' }), at(300));
    await payments.mirror(truth({ paymentId: 'pi_y', customerId: undefined }), at(300));
    const ids = async (limit: number) =>
      (await payments.ofCustomer('cus_1', limit)).map(({ paymentId }) => paymentId);
    const newestFirst = Array.from({ length: 230 }, (_, n) => `pi_${229 - n}`);
    expect(await ids(1000)).toStrictEqual(newestFirst);
    expect(await ids(229)).toStrictEqual(newestFirst.slice(0, 229));
    expect(await ids(1)).toStrictEqual(['pi_229']);
    expect(await payments.ofCustomer('cus_2', 5)).toStrictEqual([]);
  });

  test('seven years on a row is as good as gone for every read, to the second', async () => {
    const { store, payments } = await history();
    await payments.mirror(truth(), at(1));
    await payments.mirror(truth({ paymentId: 'pi_2', stripeCreated: at(10) }), at(1));
    const late = await paymentsAt(store, at(sevenYears)).mirror(truth(), at(1));
    expect(late).toStrictEqual({ stored: true, row: undefined });
    const seen = async (seconds: number) => {
      const reader = paymentsAt(store, at(seconds));
      const all = await reader.ofCustomer('cus_1', 1000);
      return [(await reader.get('pi_1'))?.paymentId, ...all.map(({ paymentId }) => paymentId)];
    };
    expect(await seen(sevenYears - 1)).toStrictEqual(['pi_1', 'pi_2', 'pi_1']);
    expect(await seen(sevenYears)).toStrictEqual([undefined, 'pi_2']);
    expect(await seen(sevenYears + 10)).toStrictEqual([undefined]);
  });
});
