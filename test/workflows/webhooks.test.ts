import pLimit from 'p-limit';
import type Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalog } from '../../domain/catalog.ts';
import { dayOf } from '../../domain/period.ts';
import { effectOf } from '../../domain/stripe-events.ts';
import { receiveEvent } from '../../server/receive-event.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startTestTemporal } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';
import { startWebhookServer } from '../support/webhook-server.ts';
import type { WebhookServer } from '../support/webhook-server.ts';

let services: Services;
let temporal: BareTemporal;
let server: WebhookServer;
let price: string;
beforeAll(async () => {
  services = await startServices();
  temporal = await startTestTemporal(services);
  server = await startWebhookServer(services, temporal.engine);
  price = await meteredPrice();
});
afterAll(async () => {
  await server.stop();
  await temporal.stop();
  await services.stop();
});

async function meteredPrice(): Promise<string> {
  const { stripe } = services;
  const product = await stripe.products.create({ name: 'File Processing' });
  const meters = await stripe.billing.meters.list({ status: 'active' });
  const meter = meters.data.find(({ event_name: name }) => name === catalog[0]?.meter.eventName);
  const made = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 1,
    recurring: { interval: 'month', usage_type: 'metered', meter: meter?.id ?? '' },
  });
  return made.id;
}

/** A customer who has paid a checkout of the metered price; its events are delivered or held. */
async function subscribe(customer: string): Promise<string> {
  const { stripe, control } = services;
  await control.createCustomer({ id: customer });
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    customer,
    line_items: [{ price }],
    success_url: 'http://127.0.0.1/done',
  });
  const paid = await control.payCheckout(session.id);
  return paid.subscription ?? '';
}

/** Usage that makes the next invoice cost something. */
async function use(customer: string, value: string): Promise<void> {
  await services.stripe.billing.meterEvents.create({
    event_name: 'file_processed',
    payload: { stripe_customer_id: customer, value },
  });
}

const standing = async (customer: string) =>
  (await services.customers.get(customer))?.billingStatus;
async function eventually(read: () => Promise<unknown>, wanted: unknown): Promise<void> {
  // The test's own time ends it.
  await expect.poll(read, { timeout: 600_000 }).toBe(wanted);
}

async function allApplied(customer: string): Promise<void> {
  const mine = (await eventsOf(customer)).map(({ id }) => id);
  await eventually(async () => {
    const rows = await Promise.all(mine.map(async (id) => await services.webhookEvents.get(id)));
    return rows.filter((row) => row === undefined || row.status === 'received').length;
  }, 0);
}

/** A customer's events at Stripe, the oldest first. */
async function eventsOf(customer: string): Promise<Stripe.Event[]> {
  const found: Stripe.Event[] = [];
  for await (const event of services.stripe.events.list({ limit: 100 })) {
    if (JSON.stringify(event.data.object).includes(`"${customer}"`)) found.push(event);
  }
  return found.toReversed();
}

describe('over HTTP, signed and delivered by the double', () => {
  test('I5 I6 a checkout that is paid: account active, a subscription, linked', async () => {
    const subscription = await subscribe('cus_paid');
    await eventually(async () => await standing('cus_paid'), 'active');
    await allApplied('cus_paid');
    expect(await services.subscriptions.get(subscription)).toMatchObject({
      customerId: 'cus_paid',
      status: 'active',
      prices: [price],
      cancelAtPeriodEnd: false,
    });
  });

  test('a failed payment and then a success: past due, then active, one row that keeps both', async () => {
    const subscription = await subscribe('cus_late');
    await use('cus_late', '500');
    // The period ends before the second in which it ends: usage of that second is the next one's.
    await services.control.advanceClock(2000);
    const { invoice } = await services.control.endPeriod(subscription, {
      card: 'pm_card_chargeDeclined',
    });
    await eventually(async () => await standing('cus_late'), 'past_due');
    await allApplied('cus_late');
    await services.stripe.invoices.pay(invoice ?? '', { payment_method: 'pm_card_visa' });
    await eventually(async () => await standing('cus_late'), 'active');
    await allApplied('cus_late');
    const rows = await services.payments.ofCustomer('cus_late', 10);
    const row = rows.find(({ stripeInvoiceId }) => stripeInvoiceId === invoice);
    expect(row).toMatchObject({ status: 'succeeded', amount: 500, currency: 'usd' });
    expect(row?.failureReason).toBeUndefined();
    const outcomes = Object.values(row?.history ?? {}).map(({ outcome }) => outcome);
    expect(new Set(outcomes)).toEqual(new Set(['failed', 'succeeded']));
    expect(rows.filter(({ stripeInvoiceId }) => stripeInvoiceId === invoice)).toHaveLength(1);
  });

  test('changes of a subscription are told: cancellation scheduled, withdrawn, paused, resumed, cancelled', async () => {
    const { stripe } = services;
    const subscription = await subscribe('cus_changes');
    await stripe.subscriptions.update(subscription, { cancel_at_period_end: true });
    await stripe.subscriptions.update(subscription, { cancel_at_period_end: false });
    await stripe.subscriptions.update(subscription, { pause_collection: { behavior: 'void' } });
    await stripe.subscriptions.update(subscription, { pause_collection: '' });
    await stripe.subscriptions.cancel(subscription, { invoice_now: true });
    await eventually(async () => await standing('cus_changes'), 'canceled');
    await allApplied('cus_changes');
    const row = await services.subscriptions.get(subscription);
    const kinds = Object.values(row?.history ?? {}).flatMap(({ changes }) =>
      changes.map(({ kind }) => kind),
    );
    expect(kinds.toSorted()).toEqual(
      [
        'created',
        'cancellation_scheduled',
        'cancellation_withdrawn',
        'paused',
        'resumed',
        'cancelled',
      ]
        .concat(kinds.filter((kind) => kind === 'status_changed'))
        .toSorted(),
    );
    expect(row?.status).toBe('canceled');
  });

  test('WH3 the same event fifty times more: nothing changes', async () => {
    const subscription = await subscribe('cus_again');
    await allApplied('cus_again');
    const before = [
      await services.subscriptions.get(subscription),
      await services.payments.ofCustomer('cus_again', 10),
    ];
    for (const { id } of await eventsOf('cus_again')) {
      await services.control.resendWebhook({ event: id, copies: 10 });
    }
    await services.control.waitForIdle();
    await eventually(
      async () => (await services.control.deliveries({ state: 'pending' })).length,
      0,
    );
    expect([
      await services.subscriptions.get(subscription),
      await services.payments.ofCustomer('cus_again', 10),
    ]).toEqual(before);
  });

  test('WH9 Stripe refuses usage after it took it: the record becomes rejected, with the reason', async () => {
    const at = new Date().toISOString();
    const source = { kind: 'processing' as const, id: 'late-error' };
    const usage = {
      identifier: 'late-error',
      customerId: 'cus_meter',
      meter: 'file_processed' as const,
    };
    await services.ledger.record({ ...usage, quantity: '5', occurredAt: at, source }, at);
    await services.ledger.claim('late-error', at);
    await services.ledger.confirm('late-error', at, 'delivered');
    await services.control.reportMeterErrors({ errors: [{ identifier: 'late-error' }] });
    await eventually(async () => (await services.ledger.get('late-error'))?.state, 'rejected');
    expect((await services.ledger.get('late-error'))?.error).toContain(
      'meter_event_customer_not_found',
    );
    expect(await services.deadLetters.get('usage-rejected/late-error')).toMatchObject({
      status: 'open',
    });
  });

  test('events that could not be delivered are caught up with', async () => {
    await services.control.configureWebhooks({ paused: true });
    await subscribe('cus_missed');
    expect(await services.customers.get('cus_missed')).toBeUndefined();
    const workflowId = await temporal.engine.startCatchUp(dayOf(Date.now()));
    await temporal.client.workflow.getHandle(workflowId).result();
    await eventually(async () => await standing('cus_missed'), 'active');
    await services.control.configureWebhooks({ paused: false });
  });
});

/* The conditions end it; a machine that works for others may take minutes. */
test('WH4 I6 five events in all 120 orders, each with a repeat: the same state in the end', async () => {
  await services.control.configureWebhooks({ paused: true });
  const orders = permutations([0, 1, 2, 3, 4]).map((order, index) => ({
    order,
    customer: `cus_order${index}x`,
  }));
  for (const { customer } of orders) {
    const subscription = await subscribe(customer);
    await services.stripe.subscriptions.update(subscription, { cancel_at_period_end: true });
    await services.stripe.subscriptions.update(subscription, { cancel_at_period_end: false });
  }
  const made: Stripe.Event[] = [];
  for await (const event of services.stripe.events.list({ limit: 100 })) made.push(event);
  const sent: string[] = [];
  // A customer's events one after the other, in its order; customers beside one another.
  const limit = pLimit(10);
  await Promise.all(
    orders.map(async ({ order, customer }) => {
      const five = lastFive(made, customer);
      const events = [...order, order[0] ?? 0].map((which) => five[which]);
      await limit(async () => {
        for (const event of events) {
          if (event === undefined) throw new Error(`${customer} has no five events`);
          await receiveEvent(server.receiver, event);
          sent.push(event.id);
        }
      });
    }),
  );
  await eventually(async () => {
    const rows = await Promise.all(
      [...new Set(sent)].map(async (id) => await services.webhookEvents.get(id)),
    );
    return rows.filter((row) => row?.status === 'received').length;
  }, 0);
  const finals = new Set<string>();
  for (const { customer } of orders) finals.add(await finalState(customer));
  expect([...finals]).toHaveLength(1);
  await services.control.configureWebhooks({ paused: false });
}, 600_000);

/** Of those that change something; the oldest first. */
function lastFive(made: readonly Stripe.Event[], customer: string): Stripe.Event[] {
  return made
    .filter(({ type }) => effectOf(type) !== 'ignored')
    .filter(({ data }) => JSON.stringify(data.object).includes(`"${customer}"`))
    .slice(0, 5)
    .toReversed();
}

/** All that is stored of a customer, without what differs from one to the next: ids and times. */
async function finalState(customer: string): Promise<string> {
  const subscriptions = await services.subscriptions.ofCustomer(customer);
  const payments = await services.payments.ofCustomer(customer, 10);
  return JSON.stringify({
    standing: await standing(customer),
    subscriptions: subscriptions.map(({ status, prices, cancelAtPeriodEnd, paused, history }) => ({
      status,
      prices,
      cancelAtPeriodEnd,
      paused,
      changes: Object.values(history)
        .flatMap(({ changes }) => changes.map(({ kind }) => kind))
        .toSorted(),
    })),
    payments: payments.map(({ status, amount, history }) => ({
      status,
      amount,
      attempts: Object.keys(history).length,
    })),
  });
}

function permutations(items: readonly number[]): number[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}
