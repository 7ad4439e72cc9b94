import { expect, test } from 'vitest';
import { alertOf } from '../../domain/alerts.ts';
import type { Alert } from '../../domain/alerts.ts';
import { createAlertTable } from '../../tables/alerts.ts';
import type { TableStore } from '../../tables/dynamo.ts';
import { at, atOnce, rawRows, useDynamodb } from './support.ts';

const database = useDynamodb();

/** A table of the test's own, with a clock that the test sets. */
async function setUp() {
  let now = new Date(at(0));
  const store: TableStore = { ...(await database.newStore()), now: () => now };
  const setClock = (seconds: number) => {
    now = new Date(at(seconds));
  };
  return { store, alerts: createAlertTable(store), setClock };
}

const failed = (customerId: string | undefined, seconds: number): Alert =>
  alertOf(
    { kind: 'payment_failed', customerId, facts: { invoiceId: `in_${seconds}` } },
    new Date(at(seconds)),
  );

test('GA16 of fifty at once in the same five minutes one is kept', async () => {
  const { store, alerts } = await setUp();
  const kept = await atOnce(50, async (n) => await alerts.put(failed('cus_1', n)));
  expect(kept.filter(Boolean)).toHaveLength(1);
  expect(await rawRows(store, 'alerts')).toHaveLength(1);
  expect(await alerts.put(failed('cus_1', 300))).toBe(true);
  expect(await alerts.put(failed('cus_2', 0))).toBe(true);
});

test('GA16 once it is sent, its five minutes stay taken', async () => {
  const { alerts } = await setUp();
  const alert = failed('cus_1', 0);
  await alerts.put(alert);
  expect(await alerts.settle(alert, { status: 'sent' })).toBe(true);
  expect(await alerts.put(failed('cus_1', 299))).toBe(false);
  expect(await alerts.first('cus_1')).toBe(undefined);
});

test('GA16 the first of a line is the one that was raised first, whatever its kind and when it was kept', async () => {
  const { alerts } = await setUp();
  const later = alertOf(
    { kind: 'dead_letter_opened', customerId: 'cus_1', facts: {} },
    new Date(at(20)),
  );
  const [third, second, first] = [failed('cus_1', 700), later, failed('cus_1', 10)];
  for (const alert of [third, second, first, failed('cus_2', 1), failed(undefined, 2)]) {
    expect(await alerts.put(alert)).toBe(true);
  }
  const order: (string | undefined)[] = [];
  for (const alert of [first, second, third]) {
    order.push((await alerts.first('cus_1'))?.alertId);
    await alerts.settle(alert, { status: 'sent' });
  }
  expect(order).toEqual([first, second, third].map(({ alertId }) => alertId));
  expect(await alerts.first('cus_1')).toBe(undefined);
  expect((await alerts.first('none'))?.raisedAt).toBe(at(2));
});

test('GA16 a line of more than one page: its first is found at the end of it', async () => {
  const { alerts } = await setUp();
  await atOnce(210, async (n) => {
    const alert = failed('cus_1', n * 300);
    await alerts.put(alert);
    if (n < 209) await alerts.settle(alert, { status: 'sent' });
  });
  expect((await alerts.first('cus_1'))?.raisedAt).toBe(at(209 * 300));
});

test('GA16 what waits has no expiry; what is settled goes after a week, is settled once, and says why', async () => {
  const { store, alerts, setClock } = await setUp();
  const alert = failed('cus_1', 0);
  await alerts.put(alert);
  expect(await rawRows(store, 'alerts')).toStrictEqual([
    { ...alert, status: 'waiting', waiting: 'yes' },
  ]);
  setClock(60);
  expect(await alerts.settle(alert, { status: 'exhausted', error: 'away' })).toBe(true);
  expect(await alerts.settle(alert, { status: 'sent' })).toBe(false);
  const settled = {
    ...alert,
    status: 'exhausted',
    settledAt: at(60),
    error: 'away',
    ttl: Date.parse(at(60)) / 1000 + 604_800,
  };
  expect(await alerts.get(alert)).toStrictEqual(settled);
  setClock(60 + 604_800);
  expect(await alerts.get(alert)).toBe(undefined);
});

test('GA16 the sweep finds each line once that holds what was raised by then', async () => {
  const { alerts } = await setUp();
  const sent = failed('cus_3', 0);
  for (const alert of [
    failed('cus_1', 0),
    failed('cus_1', 300),
    failed(undefined, 60),
    failed('cus_2', 61),
    sent,
  ]) {
    await alerts.put(alert);
  }
  await alerts.settle(sent, { status: 'sent' });
  expect((await alerts.linesWaiting(new Date(at(60)))).toSorted()).toEqual(['cus_1', 'none']);
});
