import { describe, expect, test } from 'vitest';
import type { SubscriptionChange } from '../../domain/subscription.ts';
import { createSubscriptions } from '../../tables/subscriptions.ts';
import type { Subscriptions, SubscriptionTruth } from '../../tables/subscriptions.ts';
import { at, atOnce, rawRows, useDynamodb } from './support.ts';

const database = useDynamodb();
async function mirror() {
  const tables = await database.newStore();
  return { tables, subscriptions: createSubscriptions(tables) };
}

const truth = (more: Partial<SubscriptionTruth> = {}): SubscriptionTruth => ({
  subscriptionId: 'sub_1',
  customerId: 'cus_1',
  status: 'active',
  prices: ['price_basic'],
  cancelAtPeriodEnd: false,
  paused: false,
  stripeCreated: at(-100),
  ...more,
});
/** As the activities do it: the row is read before Stripe is asked. */
async function store(subscriptions: Subscriptions, said: SubscriptionTruth) {
  const read = await subscriptions.get(said.subscriptionId);
  const row = await subscriptions.mirror(said, read?.revision ?? 0);
  if (row === undefined) throw new Error('someone else was quicker');
  return row;
}
const cancelled: SubscriptionChange[] = [{ kind: 'cancelled' }];

describe('WH4 what Stripe said of a subscription', () => {
  test('is stored, and counted', async () => {
    const { subscriptions } = await mirror();
    const whole = truth({ cancelAt: at(50), currentPeriodStart: at(0), currentPeriodEnd: at(99) });
    const row = { ...whole, revision: 1, history: {} };
    expect(await subscriptions.mirror(whole, 0)).toStrictEqual(row);
    expect(await subscriptions.get('sub_1')).toStrictEqual(row);
    expect(await subscriptions.get('sub_10')).toBeUndefined();
  });

  test.each([
    ['when the row was as it is', 1, 'canceled'],
    ['when there was no row', 0, 'active'],
    ['before another answer was stored', 2, 'active'],
  ])('WH4 WH11 an answer asked for %s', async (_when, revision, status) => {
    const { subscriptions } = await mirror();
    await store(subscriptions, truth());
    await subscriptions.addChanges('sub_1', 'evt_1', { at: at(1), changes: cancelled });
    const stored = await subscriptions.mirror(truth({ status: 'canceled' }), revision);
    expect(stored === undefined).toBe(status === 'active');
    expect(await subscriptions.get('sub_1')).toMatchObject({
      status,
      history: { evt_1: { at: at(1) } },
    });
  });

  test('WH4 WH11 of twenty who read the same row one stores; the others must ask anew', async () => {
    const { subscriptions } = await mirror();
    const stored = await atOnce(
      20,
      async (n) => await subscriptions.mirror(truth({ prices: [`price_${n}`] }), 0),
    );
    const winner = stored.findIndex((one) => one !== undefined);
    expect(stored.filter((one) => one !== undefined)).toHaveLength(1);
    expect(await subscriptions.get('sub_1')).toMatchObject({
      prices: [`price_${winner}`],
      revision: 1,
    });
  });

  test('what Stripe says no more is taken away; the history stays', async () => {
    const { tables, subscriptions } = await mirror();
    await store(subscriptions, truth({ cancelAt: at(50), canceledAt: at(40) }));
    await subscriptions.addChanges('sub_1', 'evt_1', { at: at(1), changes: cancelled });
    await store(subscriptions, truth({ cancelAt: undefined, canceledAt: undefined }));
    expect(await rawRows(tables, 'subscriptions')).toStrictEqual([
      {
        ...truth(),
        revision: 2,
        history: { evt_1: { at: at(1), changes: cancelled } },
      },
    ]);
  });
});

describe('WH3 the history', () => {
  test('WH3 an event tells its changes once; later ones are added', async () => {
    const { subscriptions } = await mirror();
    await store(subscriptions, truth());
    const plan: SubscriptionChange[] = [{ kind: 'plan_changed', from: ['price_a'], to: [] }];
    await subscriptions.addChanges('sub_1', 'evt_1', { at: at(1), changes: plan });
    await subscriptions.addChanges('sub_1', 'evt_1', { at: at(9), changes: cancelled });
    const second = { at: at(2), changes: cancelled };
    const { row } = await subscriptions.addChanges('sub_1', 'evt_2', second);
    expect(row.history).toStrictEqual({ evt_1: { at: at(1), changes: plan }, evt_2: second });
    expect(await subscriptions.get('sub_1')).toStrictEqual(row);
  });

  test('WH3 decided on a row as it was read: what others added since is kept, and told once', async () => {
    const { subscriptions } = await mirror();
    const row = await store(subscriptions, truth());
    const entry = { at: at(1), changes: cancelled };
    await subscriptions.addChanges('sub_1', 'evt_1', entry, row);
    await subscriptions.addChanges('sub_1', 'evt_2', entry, row);
    await subscriptions.addChanges('sub_1', 'evt_1', { ...entry, at: at(9) }, row);
    expect((await subscriptions.get('sub_1'))?.history).toStrictEqual({
      evt_1: entry,
      evt_2: entry,
    });
  });

  test('an event of a row that was never mirrored is an error, not a row of its own', async () => {
    const { tables, subscriptions } = await mirror();
    const entry = { at: at(1), changes: cancelled };
    await expect(subscriptions.addChanges('sub_1', 'evt_1', entry)).rejects.toThrow('mirrored');
    expect(await rawRows(tables, 'subscriptions')).toEqual([]);
  });

  test('WH3 WH4 a full history: twenty writers at once, old and new, leave the newest hundred', async () => {
    const { subscriptions } = await mirror();
    await store(subscriptions, truth());
    const add = async (second: number) =>
      await subscriptions.addChanges('sub_1', `evt_${second}`, {
        at: at(second),
        changes: cancelled,
      });
    for (let second = 20; second < 115; second += 1) await add(second);
    const removed = await atOnce(20, async (n) => await add(n < 5 ? n : 110 + n));
    const { history = {} } = (await subscriptions.get('sub_1')) ?? {};
    const newest = Array.from({ length: 100 }, (_, n) => `evt_${30 + n}`);
    expect(Object.keys(history).toSorted()).toStrictEqual(newest.toSorted());
    const gone = removed.flatMap((one) => one.removed);
    expect(new Set(gone).size).toBe(gone.length);
    expect((await add(0)).removed).toStrictEqual([]);
    expect((await subscriptions.get('sub_1'))?.history).toStrictEqual(history);
  });

  test('WH3 twenty events at once, each twice, are twenty entries', async () => {
    const { subscriptions } = await mirror();
    await store(subscriptions, truth());
    await atOnce(40, async (n) => {
      const entry = { at: at(n % 20), changes: cancelled };
      await subscriptions.addChanges('sub_1', `evt_${n % 20}`, entry);
    });
    const { history = {} } = (await subscriptions.get('sub_1')) ?? {};
    expect(Object.keys(history)).toHaveLength(20);
    expect(history['evt_7']).toStrictEqual({ at: at(7), changes: cancelled });
  });
});

test('ofCustomer: all pages of one customer, oldest first, whole rows', async () => {
  const { subscriptions } = await mirror();
  await atOnce(230, async (n) => {
    const subscriptionId = `sub_${n}`;
    await store(subscriptions, truth({ subscriptionId, stripeCreated: at(n) }));
  });
  await store(subscriptions, truth({ subscriptionId: 'sub_x', customerId: 'cus_10' }));
  await subscriptions.addChanges('sub_0', 'evt_1', { at: at(1), changes: cancelled });
  const found = await subscriptions.ofCustomer('cus_1');
  expect(found.map(({ subscriptionId }) => subscriptionId)).toStrictEqual(
    Array.from({ length: 230 }, (_, n) => `sub_${n}`),
  );
  expect(found[0]?.history).toStrictEqual({ evt_1: { at: at(1), changes: cancelled } });
  expect(await subscriptions.ofCustomer('cus_2')).toStrictEqual([]);
});
