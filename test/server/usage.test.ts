import { describe, expect, test } from 'vitest';
import { subscriptionTruth } from '../../activities/stripe-truth.ts';
import { catalog } from '../../domain/catalog.ts';
import { storageIdentifier } from '../../domain/ids.ts';
import { snapshotOf } from '../../domain/storage.ts';
import type { Usage } from '../../domain/usage.ts';
import { usageOf } from '../tables/ledger-support.ts';
import { useDynamodb } from '../tables/support.ts';
import { createBillingApi } from './billing-support.ts';

const database = useDynamodb();
const path = '/v1/usage';
const gigabyte = 2n ** 30n;

async function setUp(startsAt = '2026-11-26T12:00:00.000Z') {
  const clock = { now: startsAt };
  const api = await createBillingApi(await database.newStore(), { now: () => new Date(clock.now) });
  const { tables, stripe } = api;
  const { ledger, storageDaily } = tables;
  const one = await api.payer('cus_1');

  /** Recorded at the time of the clock. */
  const record = async (identifier: string, facts: Partial<Usage> = {}): Promise<Usage> => {
    const usage = usageOf(identifier, { occurredAt: clock.now, ...facts });
    await ledger.record(usage, clock.now);
    return usage;
  };
  /** Recorded, sent and confirmed. */
  const deliver = async (identifier: string, facts: Partial<Usage> = {}): Promise<void> => {
    const { meter, customerId, quantity, occurredAt } = await record(identifier, facts);
    await ledger.claim(identifier, clock.now);
    await stripe.billing.meterEvents.create(
      {
        event_name: meter,
        identifier,
        timestamp: Math.floor(Date.parse(occurredAt) / 1000),
        payload: { stripe_customer_id: customerId, value: quantity },
      },
      { idempotencyKey: identifier },
    );
    await ledger.confirm(identifier, clock.now, 'delivered');
  };
  /** By the checkout, and as its webhooks would leave it. */
  const subscribe = async () => {
    await one.call('POST', '/v1/billing/checkout');
    const [session] = await api.open('cus_1');
    const { subscription: id } = await api.control.payCheckout(session?.id ?? '');
    const truth = subscriptionTruth(await stripe.subscriptions.retrieve(id ?? ''));
    await tables.subscriptions.mirror(truth, 0);
    const subscriptions = [truth.subscriptionId];
    const standing = { debts: [], subscriptions, hadSubscription: true, paidCheckout: false };
    const known = await tables.customers.standingOf('cus_1');
    const defaults = { plan: 'free', createdAt: clock.now };
    await tables.customers.change('cus_1', { billingStatus: 'active', standing }, known, defaults);
    return truth;
  };
  const store = async (date: string, bytes: bigint): Promise<void> => {
    const none = { bytes: 0n, files: 0 };
    const snapshot = snapshotOf('cus_1', date, { bytes, files: 2 }, none);
    await storageDaily.put(snapshot, `${date}T01:00:00.000Z`);
  };
  const lines = async (query = '') => {
    const { status, body } = await one.call('GET', `${path}${query}`);
    expect(status).toBe(200);
    return (body['lines'] as Record<string, string>[]).map(
      ({ meter, state, quantity, amountCents }) => [meter, state, quantity, amountCents].join(' '),
    );
  };
  /** Stripe's own words, in the order of the catalog. */
  const preview = async () => {
    const { lines: shown } = await stripe.invoices.createPreview({ customer: 'cus_1' });
    return catalog.map(({ meter, product }) => {
      const line = shown.data.find(({ pricing }) => pricing?.price_details?.product === product.id);
      return `${meter.eventName} delivered ${String(line?.quantity_decimal)} ${line?.amount}`;
    });
  };
  const logged = api.lines;
  return { ...api, logged, clock, one, record, deliver, subscribe, store, lines, preview };
}

describe('GET /v1/usage', () => {
  test('GA15 a subscriber’s period: what is delivered equals Stripe’s invoice preview, to the cent', async () => {
    const { clock, one, record, deliver, subscribe, store, lines, preview, tables } = await setUp();
    await deliver('before', { quantity: '999999', occurredAt: '2026-11-26T11:59:59.000Z' });
    const truth = await subscribe();
    await deliver('first', { quantity: '1499' });
    for (const day of ['27', '28', '29', '30']) await store(`2026-11-${day}`, 3n * gigabyte + 1n);
    clock.now = '2026-12-02T09:00:00.000Z';
    await store('2026-12-01', 7n * gigabyte);
    await deliver('second', { quantity: '70001' });
    await record('waits', { quantity: '1500' });
    await record('refused', { quantity: '123456' });
    await tables.ledger.claim('refused', clock.now);
    await tables.ledger.layAside('refused', 'rejected', 'no such customer', clock.now);

    const delivered = 'file_processed delivered 71500 72';
    const waiting = 'file_processed waiting 1500 1';
    const average = String(3n * gigabyte + 1n);
    expect(await lines()).toEqual([
      delivered,
      waiting,
      'storage-usage delivered 0 0',
      // November ends in this period, December does not.
      `storage-usage estimate ${average} 40`,
    ]);
    expect(await preview()).toEqual([delivered, 'storage-usage delivered 0 0']);
    const { body } = await one.call('GET', path);
    expect(body).toMatchObject({
      period: {
        kind: 'service',
        start: truth.currentPeriodStart,
        end: '2026-12-26T12:00:00.000Z',
        subscriptionId: truth.subscriptionId,
      },
      currency: 'usd',
      totalCents: '113',
      refused: [{ meter: 'file_processed', records: 1, quantity: '123456' }],
      deliveriesWaiting: 1,
      casts: { month: '2026-12', usedCents: 0, reservedCents: 0 },
    });
    expect((body['storage'] as { date: string }[]).map(({ date }) => date)).toEqual([
      '2026-11-27',
      '2026-11-28',
      '2026-11-29',
      '2026-11-30',
      '2026-12-01',
    ]);

    await deliver(storageIdentifier('cus_1', '2026-11'), {
      meter: 'storage-usage',
      quantity: average,
      occurredAt: '2026-11-30T23:59:59.000Z',
      source: { kind: 'storage', id: 'cus_1/2026-11' },
    });
    const stored = `storage-usage delivered ${average} 40`;
    expect(await lines()).toEqual([delivered, waiting, stored]);
    expect(await preview()).toEqual([delivered, stored]);
  });

  test('GA15 Stripe’s figure lags behind, and is the same once its lag is over', async () => {
    const { clock, control, deliver, subscribe, lines, preview } = await setUp();
    await subscribe();
    await control.configure({ summaryLagMs: 60_000 });
    await deliver('first', { quantity: '2500' });
    const shown = ['file_processed delivered 2500 3', 'storage-usage delivered 0 0'];
    expect(await lines()).toEqual(shown);
    expect(await preview()).toEqual(['file_processed delivered 0 0', shown[1]]);
    clock.now = '2026-11-26T12:01:00.000Z';
    expect(await preview()).toEqual(shown);
  });

  test('GA15 without a subscription it is the calendar month; any month that began can be asked for', async () => {
    const { clock, one, record, store, lines, tables } = await setUp('2026-11-30T23:59:59.999Z');
    await record('november', { quantity: '2000' });
    await store('2026-11-30', 5n);
    await tables.spending.reserve(
      { customerId: 'cus_1', period: '2026-11', reservationId: 'cast-1', cents: 7 },
      { at: clock.now, digest: 'd' },
    );
    clock.now = '2026-12-01T00:00:00.000Z';
    await record('december', { quantity: '3000' });
    const { body } = await one.call('GET', path);
    expect(body).toMatchObject({
      period: {
        kind: 'month',
        start: '2026-12-01T00:00:00.000Z',
        end: '2027-01-01T00:00:00.000Z',
      },
      storage: [],
      casts: { month: '2026-12', usedCents: 0, reservedCents: 0 },
    });
    expect(await lines()).toEqual([
      'file_processed delivered 0 0',
      'file_processed waiting 3000 3',
      'storage-usage delivered 0 0',
    ]);
    const november = await one.call('GET', `${path}?month=2026-11`);
    expect(november.body).toMatchObject({
      period: { kind: 'month', start: '2026-11-01T00:00:00.000Z' },
      storage: [{ date: '2026-11-30', bytes: '5', files: 2, isBilled: false }],
      casts: { month: '2026-11', usedCents: 0, reservedCents: 7 },
    });
    expect(await lines('?month=2026-11')).toEqual([
      'file_processed delivered 0 0',
      'file_processed waiting 2000 2',
      'storage-usage delivered 0 0',
      'storage-usage estimate 5 10',
    ]);
    expect((await lines('?month=2020-02')).every((line) => line.endsWith(' 0 0'))).toBe(true);
  });

  test('GA15 more records than a page, each once, past what a number holds', async () => {
    const { clock, lines, tables } = await setUp();
    const most = 1001;
    const quantity = '9007199254740993';
    await Promise.all(
      Array.from({ length: most }, async (_, n) => {
        const usage = usageOf(`job-${n}`, { quantity, occurredAt: clock.now });
        await tables.ledger.record(usage, clock.now);
      }),
    );
    const sum = BigInt(quantity) * BigInt(most);
    const [, waiting] = await lines();
    // A thousandth of a cent a byte; …993 thousandths are rounded up.
    expect(waiting).toBe(`file_processed waiting ${sum} ${sum / 1000n + 1n}`);
  });

  test('GA6 another customer’s usage is nothing of this one’s', async () => {
    const { payer, record, store } = await setUp();
    await record('mine');
    await store('2026-11-26', 5n);
    const two = await payer('cus_2');
    const { body } = await two.call('GET', path);
    expect(body).toMatchObject({ totalCents: '0', deliveriesWaiting: 0, storage: [] });
    expect((await two.call('GET', `${path}?customerId=cus_1`)).status).toBe(400);
  });

  test('GA5 it is shown while Stripe is down, and where billing is off', async () => {
    const { one, control, subscribe } = await setUp();
    await subscribe();
    await control.fault({ kind: 'drop_before', times: null });
    expect((await one.call('GET', path)).status).toBe(200);
    const off = await createBillingApi(await database.newStore(), { isOff: true });
    expect((await (await off.payer('cus_1')).call('GET', path)).status).toBe(200);
  });

  test('GA10 bad months and unknown words: 400, and nothing is logged as an error', async () => {
    const { one, operator, logged } = await setUp();
    for (const query of [
      'month=2026-12',
      'month=2026-13',
      'month=2026-1',
      'month=202611',
      'month=0',
      'month=',
      'month=%00',
      'month=../2026-11',
      'month=2026-11&month=2026-10',
      'other=1',
    ]) {
      const answer = await one.call('GET', `${path}?${query}`);
      expect([query, answer.status, answer.body['error']]).toEqual([query, 400, 'invalid_request']);
    }
    expect((await operator('GET', path)).status).toBe(403);
    expect(logged.filter((line) => line.includes('"level":50'))).toEqual([]);
  });
});
