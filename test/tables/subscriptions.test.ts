import { describe, expect, test } from 'vitest';
import type { SubscriptionChange } from '../../domain/subscription.ts';
import { createSubscriptions } from '../../tables/subscriptions.ts';
import type { SubscriptionTruth } from '../../tables/subscriptions.ts';
import { at, atOnce, rawRows, useDynamodb } from './support.ts';

const database = useDynamodb();
async function mirror() {
  const store = await database.newStore();
  return { store, subscriptions: createSubscriptions(store) };
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
const cancelled: SubscriptionChange[] = [{ kind: 'cancelled' }];

describe('WH4 what Stripe said of a subscription', () => {
  test('is stored, with the time of asking', async () => {
    const { subscriptions } = await mirror();
    const whole = truth({ cancelAt: at(50), currentPeriodStart: at(0), currentPeriodEnd: at(99) });
    const row = { ...whole, fetchedAt: at(1), history: {} };
    expect(await subscriptions.mirror(whole, at(1))).toStrictEqual({ stored: true, row });
    expect(await subscriptions.get('sub_1')).toStrictEqual(row);
    expect(await subscriptions.get('sub_10')).toBeUndefined();
  });

  test.each([
    ['later', 2, true, 'canceled'],
    ['in the same moment', 1, true, 'canceled'],
    ['earlier', 0, false, 'active'],
    ['a millisecond earlier', 0.999, false, 'active'],
  ])('WH4 an answer asked for %s', async (_when, second, stored, status) => {
    const { subscriptions } = await mirror();
    await subscriptions.mirror(truth(), at(1));
    await subscriptions.addChanges('sub_1', 'evt_1', { at: at(1), changes: cancelled });
    const mirrored = await subscriptions.mirror(truth({ status: 'canceled' }), at(second));
    expect(mirrored).toMatchObject({ stored, row: { status, history: { evt_1: { at: at(1) } } } });
    expect(await subscriptions.get('sub_1')).toStrictEqual(mirrored.row);
  });

  test('WH4 of twenty answers at once the youngest stays', async () => {
    const { subscriptions } = await mirror();
    await atOnce(
      20,
      async (n) => await subscriptions.mirror(truth({ prices: [`price_${n}`] }), at(n)),
    );
    expect(await subscriptions.get('sub_1')).toMatchObject({
      prices: ['price_19'],
      fetchedAt: at(19),
    });
  });

  test('what Stripe says no more is taken away; the history stays', async () => {
    const { store, subscriptions } = await mirror();
    await subscriptions.mirror(truth({ cancelAt: at(50), canceledAt: at(40) }), at(1));
    await subscriptions.addChanges('sub_1', 'evt_1', { at: at(1), changes: cancelled });
    await subscriptions.mirror(truth({ cancelAt: undefined, canceledAt: undefined }), at(2));
    expect(await rawRows(store, 'subscriptions')).toStrictEqual([
      {
        ...truth(),
        fetchedAt: at(2),
        history: { evt_1: { at: at(1), changes: cancelled } },
      },
    ]);
  });
});

describe('WH3 the history', () => {
  test('WH3 an event tells its changes once; later ones are added', async () => {
    const { subscriptions } = await mirror();
    await subscriptions.mirror(truth(), at(1));
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
    const { row } = await subscriptions.mirror(truth(), at(1));
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
    const { store, subscriptions } = await mirror();
    const entry = { at: at(1), changes: cancelled };
    await expect(subscriptions.addChanges('sub_1', 'evt_1', entry)).rejects.toThrow('mirrored');
    expect(await rawRows(store, 'subscriptions')).toEqual([]);
  });

  test('WH3 WH4 a full history: twenty writers at once, old and new, leave the newest hundred', async () => {
    const { subscriptions } = await mirror();
    await subscriptions.mirror(truth(), at(1));
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
    await subscriptions.mirror(truth(), at(1));
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
    await subscriptions.mirror(truth({ subscriptionId, stripeCreated: at(n) }), at(300));
  });
  await subscriptions.mirror(truth({ subscriptionId: 'sub_x', customerId: 'cus_10' }), at(300));
  await subscriptions.addChanges('sub_0', 'evt_1', { at: at(1), changes: cancelled });
  const found = await subscriptions.ofCustomer('cus_1');
  expect(found.map(({ subscriptionId }) => subscriptionId)).toStrictEqual(
    Array.from({ length: 230 }, (_, n) => `sub_${n}`),
  );
  expect(found[0]?.history).toStrictEqual({ evt_1: { at: at(1), changes: cancelled } });
  expect(await subscriptions.ofCustomer('cus_2')).toStrictEqual([]);
  expect(await subscriptions.statesOfCustomer('cus_1')).toStrictEqual(
    found.map(({ subscriptionId, customerId, status }) => ({ subscriptionId, customerId, status })),
  );
});
