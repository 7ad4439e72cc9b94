/** What people in this job met (cases 10 to 13): the status follows the open debts, in any order. */
import type Stripe from 'stripe';
import { describe, expect, test } from 'vitest';
import type { RaisedAlert } from '../../domain/alerts.ts';
import { createMetrics } from '../../platform/metrics.ts';
import {
  apply,
  applyAll,
  customerWithCard,
  declinedPayment,
  happened,
  openInvoice,
  receive,
  refuseInvoice,
  stage,
  standing,
  subscribe,
  useEvents,
} from './events-support.ts';

useEvents();

const paymentsOf = async (customer: string) =>
  await stage().services.payments.ofCustomer(customer, 20);
const outcomesOf = (row: { history: Record<string, { outcome: string }> } | undefined) =>
  new Set(Object.values(row?.history ?? {}).map(({ outcome }) => outcome));

/** What a person is told of. */
function listening() {
  const alerts: RaisedAlert[] = [];
  const raiseAlert = async (alert: RaisedAlert): Promise<void> => {
    await Promise.resolve(alerts.push(alert));
  };
  return { alerts, raiseAlert };
}

test('GA16 a payment that failed is told with its customer and its invoice', async () => {
  const customer = 'cus_told_of';
  const { raiseAlert, alerts } = listening();
  await stage().services.control.createCustomer({ id: customer });
  const invoiceId = await openInvoice(customer, 5000);
  await refuseInvoice(customer, invoiceId);
  for (const event of await happened(customer)) {
    await apply([await receive(event)], { raiseAlert });
  }
  const failed = { kind: 'payment_failed', customerId: customer, facts: { invoiceId } };
  expect(alerts).toEqual([failed]);
});

async function paidSubscriber(customer: string): Promise<string> {
  await customerWithCard(customer);
  const subscription = await subscribe(customer);
  await applyAll(await happened(customer));
  expect(await standing(customer)).toBe('active');
  return subscription;
}

/** What happened since, and is not applied yet. */
async function unapplied(customer: string, ...more: string[]): Promise<Stripe.Event[]> {
  const events = await happened(customer, ...more);
  const rows = await Promise.all(
    events.map(async ({ id }) => await stage().services.webhookEvents.get(id)),
  );
  return events.filter((_event, index) => rows[index] === undefined);
}

test('WH16 case 10: a declined one-off payment is a row, and the subscriber stays active', async () => {
  await paidSubscriber('cus_declined');
  const intentId = await declinedPayment('cus_declined', 5000);
  await applyAll(await unapplied('cus_declined'));
  expect(await standing('cus_declined')).toBe('active');
  const row = await stage().services.payments.get(intentId);
  expect(row).toMatchObject({ status: 'failed', amount: 5000, failureReason: 'generic_decline' });
});

const orders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
].flatMap((order) => [
  { order, how: 'together' as const },
  { order, how: 'apart' as const },
]);
test.each(orders)(
  'WH17 I6 case 11: paid by bank transfer, events in the order $order, $how: one payment, succeeded',
  async ({ order, how }) => {
    const customer = `cus_transfer_${order.join('')}_${how}`;
    const { stripe } = stage().services;
    await stage().services.control.createCustomer({ id: customer });
    const invoice = await openInvoice(customer, 5000);
    await refuseInvoice(customer, invoice);
    await stripe.invoices.pay(invoice, { paid_out_of_band: true });
    const types = ['payment_intent.payment_failed', 'invoice.payment_failed', 'invoice.paid'];
    const events = await happened(customer);
    const three = types.map((type) => events.find((event) => event.type === type));
    await applyAll(
      order.flatMap((which) => three[which] ?? []),
      how,
    );
    const rows = await paymentsOf(customer);
    expect(rows).toMatchObject([
      { status: 'succeeded', amount: 5000, endedBy: 'out_of_band', stripeInvoiceId: invoice },
    ]);
    expect(rows[0]).not.toHaveProperty('failureReason');
    expect(outcomesOf(rows[0])).toEqual(new Set(['failed', 'succeeded']));
    expect(await standing(customer)).toBe('none');
  },
);

describe('WH17 case 12: a debt that ends without payment', () => {
  async function indebted(customer: string): Promise<{ invoice: string; subscription: string }> {
    const subscription = await paidSubscriber(customer);
    const invoice = await openInvoice(customer, 2000);
    await refuseInvoice(customer, invoice);
    await applyAll(await unapplied(customer));
    expect(await standing(customer)).toBe('past_due');
    return { invoice, subscription };
  }

  test.each([
    [
      'voided',
      'void',
      async (id: string) => await stage().services.stripe.invoices.voidInvoice(id),
    ],
    [
      'written off',
      'write_off',
      async (id: string) => await stage().services.stripe.invoices.markUncollectible(id),
    ],
    [
      'credited in full',
      'credit',
      async (invoice: string) =>
        await stage().services.stripe.creditNotes.create({ invoice, amount: 2000 }),
    ],
  ])(
    '%s: active again, and the row keeps its attempt and says how it ended',
    async (what, endedBy, end) => {
      const customer = `cus_${what.replaceAll(' ', '_')}`;
      const { invoice } = await indebted(customer);
      await end(invoice);
      await applyAll(await unapplied(customer));
      expect(await standing(customer)).toBe('active');
      const row = (await paymentsOf(customer)).find((one) => one.stripeInvoiceId === invoice);
      expect(row).toMatchObject({ status: 'failed', amount: 2000, endedBy });
      expect(outcomesOf(row)).toContain('failed');
    },
  );

  test('GA16 (c) paid after the subscription had ended: canceled, succeeded, and an alert', async () => {
    const { stripe, control } = stage().services;
    const customer = 'cus_late_payment';
    await customerWithCard(customer, 'pm_card_chargeCustomerFail');
    const subscription = await subscribe(customer);
    const { latest_invoice: latest } = await stripe.subscriptions.retrieve(subscription);
    const invoice = typeof latest === 'string' ? latest : (latest?.id ?? '');
    await stripe.invoices.markUncollectible(invoice);
    await control.advanceClock(60_000);
    await stripe.subscriptions.cancel(subscription);
    await control.advanceClock(10 * 3_600_000);
    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer });
    await stripe.invoices.pay(invoice, { payment_method: card.id });
    const metrics = createMetrics();
    const { raiseAlert, alerts } = listening();
    for (const event of await happened(customer)) {
      const outcome = await apply([await receive(event)], { metrics, raiseAlert });
      expect(outcome.failure).toBeUndefined();
    }
    const [late] = alerts.filter(({ kind }) => kind === 'late_payment');
    expect(late).toMatchObject({ customerId: customer, facts: { invoiceId: invoice } });
    expect(await standing(customer)).toBe('canceled');
    expect(await paymentsOf(customer)).toMatchObject([{ status: 'succeeded', amount: 500 }]);
    expect((await metrics.latePayments.get()).values[0]?.value).toBeGreaterThan(0);
  });
});

describe('WH18 case 13: an invoice over nothing', () => {
  test('(a) settles nothing and is no payment: 5,000 are still owed', async () => {
    const customer = 'cus_nothing';
    await stage().services.control.createCustomer({ id: customer });
    const owed = await openInvoice(customer, 5000);
    await refuseInvoice(customer, owed);
    await applyAll(await unapplied(customer));
    expect(await standing(customer)).toBe('past_due');
    await openInvoice(customer, 0);
    await applyAll(await unapplied(customer));
    expect(await standing(customer)).toBe('past_due');
    expect((await paymentsOf(customer)).map(({ status, amount }) => [status, amount])).toEqual([
      ['failed', 5000],
    ]);
  });

  test('(b) a checkout that wanted no payment, and an active subscription: active', async () => {
    const { stripe, control } = stage().services;
    const customer = 'cus_free_checkout';
    await control.createCustomer({ id: customer });
    const [meter] = (await stripe.billing.meters.list({ status: 'active' })).data;
    const { id: product } = await stripe.products.create({ name: 'Bytes' });
    const { id: price } = await stripe.prices.create({
      product,
      currency: 'usd',
      unit_amount: 1,
      recurring: { interval: 'month', usage_type: 'metered', meter: meter?.id ?? '' },
    });
    const session = await stripe.checkout.sessions.create({
      mode: 'subscription',
      customer,
      line_items: [{ price }],
      success_url: 'http://127.0.0.1/done',
    });
    await control.payCheckout(session.id);
    const events = await happened(customer);
    await applyAll(events.filter(({ type }) => type === 'checkout.session.completed'));
    expect(await standing(customer)).toBe('active');
    expect(await paymentsOf(customer)).toEqual([]);
  });
});

describe('WH20 a checkout in payment mode with an invoice as its receipt', () => {
  test.each(['as they came', 'the other way round'])('is one payment: events %s', async (order) => {
    const { stripe, control } = stage().services;
    const customer = `cus_receipt_${order.replaceAll(' ', '_')}`;
    await control.createCustomer({ id: customer });
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      customer,
      invoice_creation: { enabled: true },
      line_items: [
        {
          quantity: 1,
          price_data: { currency: 'usd', unit_amount: 700, product_data: { name: 'Once' } },
        },
      ],
      success_url: 'http://127.0.0.1/done',
    });
    const { paymentIntent } = await control.payCheckout(session.id);
    const events = await happened(customer);
    await applyAll(order === 'as they came' ? events : events.toReversed(), 'apart');
    expect(await paymentsOf(customer)).toMatchObject([
      { paymentId: paymentIntent, status: 'succeeded', amount: 700 },
    ]);
    expect(await standing(customer)).toBe('active');
  });
});

describe('WH19 refunds and disputes are kept on the payment', () => {
  test('WH19 GA16 refunded in part, then disputed and lost; the dispute alerts once', async () => {
    const { stripe, control } = stage().services;
    const customer = 'cus_refunded';
    await customerWithCard(customer);
    const intent = await stripe.paymentIntents.create({
      customer,
      amount: 5000,
      currency: 'usd',
      payment_method: 'pm_card_visa',
      confirm: true,
    });
    await stripe.refunds.create({ payment_intent: intent.id, amount: 1200 });
    await applyAll(await unapplied(customer, intent.id));
    expect(await stage().services.payments.get(intent.id)).toMatchObject({
      status: 'succeeded',
      amount: 5000,
      refundedAmount: 1200,
    });
    const dispute = await control.openDispute({ paymentIntent: intent.id, reason: 'duplicate' });
    await control.moveDispute(dispute.id, { status: 'lost' });
    const metrics = createMetrics();
    const { raiseAlert, alerts } = listening();
    for (const event of await unapplied(customer, intent.id)) {
      const outcome = await apply([await receive(event)], { metrics, raiseAlert });
      expect(outcome.failure).toBeUndefined();
    }
    const facts = { disputeId: dispute.id, paymentIntentId: intent.id };
    expect(alerts).toEqual([{ kind: 'payment_disputed', customerId: customer, facts }]);
    expect(await stage().services.payments.get(intent.id)).toMatchObject({
      refundedAmount: 1200,
      disputeStatus: 'lost',
      disputeReason: 'duplicate',
    });
    expect((await metrics.paymentDisputes.get()).values[0]?.value).toBe(1);
  });
});

test('WH21 a customer deleted at Stripe: the row says so', async () => {
  const customer = 'cus_deleted';
  await paidSubscriber(customer);
  await stage().services.stripe.customers.del(customer);
  const events = await unapplied(customer);
  await applyAll(events);
  const deleted = events.find(({ type }) => type === 'customer.deleted');
  const deletedAt = new Date((deleted?.created ?? 0) * 1000).toISOString();
  expect(await stage().services.customers.get(customer)).toMatchObject({ deletedAt });
});

describe('WH15 more than an object shows', () => {
  test('WH15 WH22 twelve items and twelve lines: all of them', async () => {
    const { stripe } = stage().services;
    const customer = 'cus_many_items';
    await customerWithCard(customer);
    const { id: product } = await stripe.products.create({ name: 'Parts' });
    const prices = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const recurring = { interval: 'month' as const };
        const wanted = { product, currency: 'usd', unit_amount: 100 + index, recurring };
        return (await stripe.prices.create(wanted)).id;
      }),
    );
    const made = await stripe.subscriptions.create({
      customer,
      items: prices.map((price) => ({ price })),
    });
    await applyAll(await happened(customer));
    const row = await stage().services.subscriptions.get(made.id);
    expect(row?.prices).toEqual(prices.toSorted());
    const [item] = made.items.data;
    const at = (seconds = 0) => new Date(seconds * 1000).toISOString();
    expect(await paymentsOf(customer)).toMatchObject([
      {
        status: 'succeeded',
        billingPeriodStart: at(item?.current_period_start),
        billingPeriodEnd: at(item?.current_period_end),
      },
    ]);
  });
});

describe('WH11 the order of what was fetched', () => {
  const setup = async (customer: string) => {
    const subscription = await paidSubscriber(customer);
    const { stripe } = stage().services;
    const event = async (change: Stripe.SubscriptionUpdateParams) => {
      await stripe.subscriptions.update(subscription, change);
      return (await unapplied(customer)).at(-1);
    };
    const stored = async () =>
      (await stage().services.subscriptions.get(subscription))?.cancelAtPeriodEnd;
    return { subscription, event, stored };
  };

  test('WH11 two workers whose clocks are 3 s apart end with Stripe’s truth', async () => {
    const { event, stored } = await setup('cus_clocks');
    const first = await event({ cancel_at_period_end: true });
    const ahead = { now: () => new Date(Date.now() + 3000) };
    expect(await apply([await receive(first ?? {})], ahead)).toEqual({ applied: 1 });
    expect(await stored()).toBe(true);
    const second = await event({ cancel_at_period_end: false });
    expect(await apply([await receive(second ?? {})])).toEqual({ applied: 1 });
    expect(await stored()).toBe(false);
  });
});

test('WH23 another task stores while one works the status out: the status tells of both', async () => {
  const customer = 'cus_at_once';
  const { services, deps } = stage();
  await paidSubscriber(customer);
  const [first, second] = [await openInvoice(customer, 1000), await openInvoice(customer, 2000)];
  await refuseInvoice(customer, first);
  await refuseInvoice(customer, second);
  await applyAll(await unapplied(customer));
  expect(await standing(customer)).toBe('past_due');
  await services.stripe.invoices.voidInvoice(first);
  await services.stripe.invoices.voidInvoice(second);
  const voided = (await unapplied(customer)).filter(({ type }) => type === 'invoice.voided');
  const [one = '', other = ''] = await Promise.all(
    voided.map(async (event) => await receive(event)),
  );
  let overtaking: Promise<unknown> | undefined;
  const customers: typeof deps.customers = {
    ...deps.customers,
    // All rows are read by now, and the status is worked out.
    change: async (...order) => {
      overtaking ??= apply([other]);
      await overtaking;
      return await deps.customers.change(...order);
    },
  };
  expect(await apply([one], { customers })).toEqual({ applied: 1 });
  expect(await overtaking).toEqual({ applied: 1 });
  expect(await standing(customer)).toBe('active');
  expect((await services.customers.standingOf(customer)).standing.debts).toEqual([]);
});
