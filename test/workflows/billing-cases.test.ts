/**
 * What people in this job met (cases 10 to 13), on the real path: Stripe's webhook over HTTP, our server, the
 * inbox, the customer's workflow on a real Temporal server, the account. Of the activities' side alone, and of
 * more cases, test/activities/billing-cases.test.ts tells.
 */
import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { workflowIds } from '../../domain/ids.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { createStripeStories } from '../support/stripe-stories.ts';
import { startBareTemporal, startTestWorkers } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';
import { startWebhookServer } from '../support/webhook-server.ts';
import type { WebhookServer } from '../support/webhook-server.ts';

let services: Services;
let stories: ReturnType<typeof createStripeStories>;
let temporal: BareTemporal;
let workers: { stop: () => Promise<void> };
let server: WebhookServer;
beforeAll(async () => {
  services = await startServices();
  stories = createStripeStories(services);
  temporal = await startBareTemporal(services);
  server = await startWebhookServer(services, temporal.engine);
  await services.control.configureWebhooks({ paused: true });
  workers = await startWorkers();
});
afterAll(async () => {
  await workers.stop();
  await server.stop();
  await temporal.stop();
  await services.stop();
});

/** WH23: an index may be one write behind, so that whoever asks one for the status finds none. */
async function startWorkers() {
  const noIndex = async () => await Promise.reject(new Error('the status was asked of an index'));
  return await startTestWorkers(temporal, services, {
    payments: { ...services.payments, ofCustomer: noIndex },
    subscriptions: { ...services.subscriptions, ofCustomer: noIndex },
  });
}

const patience = { timeout: 300_000, interval: 50 };
const standing = async (customer: string) =>
  (await services.customers.get(customer))?.billingStatus;
const paymentsOf = async (customer: string) => await services.payments.ofCustomer(customer, 20);
const debtsOf = async (customer: string) =>
  (await services.customers.standingOf(customer)).standing.debts;

/** Delivered by the double in this order, each signed and answered 200. */
async function release(events: readonly { id: string }[]): Promise<void> {
  const ids = events.map(({ id }) => id);
  const attempts = await services.control.releaseWebhooks({ events: ids });
  expect(attempts.map(({ event, status }) => ({ event, status }))).toEqual(
    ids.map((event) => ({ event, status: 200 })),
  );
}

async function untilApplied(events: readonly { id: string }[]): Promise<void> {
  const statuses = async () => {
    const rows = events.map(async ({ id }) => (await services.webhookEvents.get(id))?.status);
    return await Promise.all(rows);
  };
  await expect.poll(statuses, patience).toEqual(events.map(() => 'applied'));
}

/** What happened of these ids and was not told yet. */
async function tell(...ids: string[]): Promise<Stripe.Event[]> {
  const all = await stories.happened(...ids);
  const known = await services.webhookEvents.getAll(all.map(({ id }) => id));
  const events = all.filter(({ id }) => !known.has(id));
  await release(events);
  await untilApplied(events);
  return events;
}

async function paidSubscriber(customer: string): Promise<void> {
  await stories.customerWithCard(customer);
  await stories.subscribe(customer);
  await tell(customer);
  expect(await standing(customer)).toBe('active');
}

async function refusedInvoice(customer: string, amount: number): Promise<string> {
  const invoice = await stories.openInvoice(customer, amount);
  await stories.refuseInvoice(customer, invoice);
  await tell(customer);
  expect(await standing(customer)).toBe('past_due');
  return invoice;
}

const orders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/** An open invoice that a card refused and a bank transfer paid: its three events, in an order. */
async function transfer(customer: string, order: readonly number[]) {
  await services.control.createCustomer({ id: customer });
  const invoice = await stories.openInvoice(customer, 5000);
  await stories.refuseInvoice(customer, invoice);
  await services.stripe.invoices.pay(invoice, { paid_out_of_band: true });
  const types = ['payment_intent.payment_failed', 'invoice.payment_failed', 'invoice.paid'];
  const events = await stories.happened(customer);
  const three = types.map((type) => events.find((event) => event.type === type));
  return { customer, invoice, events: order.flatMap((which) => three[which] ?? []) };
}

async function expectPaidByTransfer({
  customer,
  invoice,
}: {
  customer: string;
  invoice: string;
}): Promise<void> {
  const rows = await paymentsOf(customer);
  expect(rows).toMatchObject([
    { status: 'succeeded', amount: 5000, endedBy: 'out_of_band', stripeInvoiceId: invoice },
  ]);
  expect(rows[0]).not.toHaveProperty('failureReason');
  const outcomes = Object.values(rows[0]?.history ?? {}).map(({ outcome }) => outcome);
  expect(new Set(outcomes)).toEqual(new Set(['failed', 'succeeded']));
  expect([await standing(customer), await debtsOf(customer)]).toEqual(['none', []]);
}

/** How many events each of a customer's tasks was given. */
async function tasksOf(customer: string): Promise<number[]> {
  const handle = temporal.client.workflow.getHandle(workflowIds.customer(customer));
  const { events = [] } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => {
    const [input] = scheduled?.input?.payloads ?? [];
    if (scheduled?.activityType?.name !== 'applyEvents' || !input?.data) return [];
    const { eventIds } = JSON.parse(Buffer.from(input.data).toString()) as { eventIds: string[] };
    return [eventIds.length];
  });
}

test('WH17 WH23 I6 case 11: a bank transfer’s events in all six orders, each in one task: one payment, succeeded', async () => {
  const all = [];
  for (const order of orders) all.push(await transfer(`cus_quick${order.join('')}`, order));
  // Nobody works while they arrive, so that all of them wait for the first task.
  await workers.stop();
  try {
    for (const { events } of all) await release(events);
  } finally {
    workers = await startWorkers();
  }
  for (const one of all) {
    await untilApplied(one.events);
    await expectPaidByTransfer(one);
    expect(await tasksOf(one.customer)).toEqual([3]);
  }
});

test('WH17 WH23 I6 case 11: in all six orders, each in a task of its own', async () => {
  const all = [];
  for (const order of orders) all.push(await transfer(`cus_apart${order.join('')}`, order));
  await Promise.all(
    all.map(async (one) => {
      for (const event of one.events) {
        await release([event]);
        await untilApplied([event]);
      }
      await expectPaidByTransfer(one);
      expect(await tasksOf(one.customer)).toEqual([1, 1, 1]);
    }),
  );
});

test('WH16 case 10: a declined one-off payment is a row, and the subscriber stays active', async () => {
  const customer = 'cus_declined';
  await paidSubscriber(customer);
  const intent = await stories.declinedPayment(customer, 5000);
  await tell(customer);
  expect(await services.payments.get(intent)).toMatchObject({
    status: 'failed',
    amount: 5000,
    failureReason: 'generic_decline',
  });
  expect([await standing(customer), await debtsOf(customer)]).toEqual(['active', []]);
});

test('WH17 case 12: voided, written off or credited in full: active again, and the row says how it ended', async () => {
  const { stripe } = services;
  const ends = {
    void: async (id: string) => await stripe.invoices.voidInvoice(id),
    write_off: async (id: string) => await stripe.invoices.markUncollectible(id),
    credit: async (invoice: string) => await stripe.creditNotes.create({ invoice, amount: 2000 }),
  };
  await Promise.all(
    Object.entries(ends).map(async ([endedBy, end]) => {
      const customer = `cus_ended_${endedBy}`;
      await paidSubscriber(customer);
      const invoice = await refusedInvoice(customer, 2000);
      await end(invoice);
      await tell(customer);
      expect([await standing(customer), await debtsOf(customer)]).toEqual(['active', []]);
      const row = (await paymentsOf(customer)).find((one) => one.stripeInvoiceId === invoice);
      expect(row).toMatchObject({ status: 'failed', amount: 2000, endedBy });
    }),
  );
});

test('WH18 case 13: a $0 invoice settles no other one, and a checkout that wanted no payment is active', async () => {
  const { stripe, control } = services;
  const customer = 'cus_nothing';
  await control.createCustomer({ id: customer });
  const owed = await refusedInvoice(customer, 5000);
  await stories.openInvoice(customer, 0);
  await tell(customer);
  expect([await standing(customer), await debtsOf(customer)]).toEqual(['past_due', [owed]]);
  const payments = await paymentsOf(customer);
  expect(payments.map(({ status, amount }) => [status, amount])).toEqual([['failed', 5000]]);

  const free = 'cus_free';
  await control.createCustomer({ id: free });
  const [meter] = (await stripe.billing.meters.list({ status: 'active' })).data;
  const { id: product } = await stripe.products.create({ name: 'Bytes' });
  const recurring = { interval: 'month', usage_type: 'metered', meter: meter?.id ?? '' } as const;
  const wanted = { product, currency: 'usd', unit_amount: 1, recurring };
  const { id: price } = await stripe.prices.create(wanted);
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    customer: free,
    line_items: [{ price }],
    success_url: 'http://127.0.0.1/done',
  });
  await control.payCheckout(session.id);
  await tell(free);
  expect([await standing(free), await paymentsOf(free)]).toEqual(['active', []]);
});

test('WH20 WH22 a checkout and its receipt, the other way round: one payment; a month’s payment has its month', async () => {
  const { stripe, control } = services;
  const customer = 'cus_receipt';
  await control.createCustomer({ id: customer });
  const price_data = { currency: 'usd', unit_amount: 700, product_data: { name: 'Once' } };
  const session = await stripe.checkout.sessions.create({
    mode: 'payment',
    customer,
    invoice_creation: { enabled: true },
    line_items: [{ quantity: 1, price_data }],
    success_url: 'http://127.0.0.1/done',
  });
  const { paymentIntent } = await control.payCheckout(session.id);
  const events = (await stories.happened(customer)).toReversed();
  await release(events);
  await untilApplied(events);
  expect(await paymentsOf(customer)).toMatchObject([
    { paymentId: paymentIntent, status: 'succeeded', amount: 700 },
  ]);
  expect(await standing(customer)).toBe('active');

  const monthly = 'cus_monthly';
  await paidSubscriber(monthly);
  const [row] = await paymentsOf(monthly);
  const { data } = await stripe.subscriptions.list({ customer: monthly });
  const item = data[0]?.items.data[0];
  const at = (seconds = 0) => new Date(seconds * 1000).toISOString();
  expect([row?.billingPeriodStart, row?.billingPeriodEnd]).toEqual([
    at(item?.current_period_start),
    at(item?.current_period_end),
  ]);
});

test('WH19 WH21 refunded in part, disputed and lost; then deleted at Stripe: the rows say so', async () => {
  const { stripe, control } = services;
  const customer = 'cus_refunded';
  await stories.customerWithCard(customer);
  const intent = await stripe.paymentIntents.create({
    customer,
    amount: 5000,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    confirm: true,
  });
  await stripe.refunds.create({ payment_intent: intent.id, amount: 1200 });
  const dispute = await control.openDispute({ paymentIntent: intent.id, reason: 'duplicate' });
  await control.moveDispute(dispute.id, { status: 'lost' });
  await stripe.customers.del(customer);
  const events = await tell(customer, intent.id);
  expect(await services.payments.get(intent.id)).toMatchObject({
    status: 'succeeded',
    amount: 5000,
    refundedAmount: 1200,
    disputeStatus: 'lost',
  });
  const created = events.find(({ type }) => type === 'customer.deleted')?.created ?? 0;
  const deletedAt = new Date(created * 1000).toISOString();
  expect(await services.customers.get(customer)).toMatchObject({ deletedAt });
});
