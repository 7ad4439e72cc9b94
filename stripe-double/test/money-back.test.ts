import { describe, expect, test } from 'vitest';
import { startBilling } from './billing-support.ts';
import { createMeter, failureOf, idOf } from './support.ts';

async function paid(amount: number) {
  const billing = await startBilling();
  const intent = await billing.stripe.paymentIntents.create({
    amount,
    confirm: true,
    currency: 'usd',
    customer: 'cus_1',
    payment_method: 'pm_card_visa',
  });
  const charge = async () => await billing.stripe.charges.retrieve(idOf(intent.latest_charge));
  return { ...billing, intent, charge };
}

describe('refunds', () => {
  test('in part, then the rest: both stand on the charge; more is refused', async () => {
    const { stripe, intent, charge, eventTypes } = await paid(1000);
    await stripe.refunds.create({ payment_intent: intent.id, amount: 300 });
    expect(await charge()).toMatchObject({ amount_refunded: 300, refunded: false });
    await stripe.refunds.create({ payment_intent: intent.id });
    expect(await charge()).toMatchObject({ amount_refunded: 1000, refunded: true });
    const more = stripe.refunds.create({ payment_intent: intent.id, amount: 1 });
    expect((await failureOf(more)).statusCode).toBe(400);
    const types = await eventTypes(['charge']);
    expect(types.filter((type) => type === 'charge.refunded')).toHaveLength(2);
  });
});

describe('disputes', () => {
  test('a bank opens one and ends it: listed by its payment, the charge is disputed', async () => {
    const { stripe, control, intent, charge, eventTypes } = await paid(1000);
    const { id } = await control.openDispute({ paymentIntent: intent.id, reason: 'duplicate' });
    expect(await charge()).toMatchObject({ disputed: true });
    await control.moveDispute(id, { status: 'won' });
    const { data } = await stripe.disputes.list({ payment_intent: intent.id });
    expect(data).toMatchObject([{ id, amount: 1000, reason: 'duplicate', status: 'won' }]);
    expect(await stripe.disputes.retrieve(id)).toEqual(data[0]);
    const types = await eventTypes(['charge']);
    expect(types.filter((type) => type.startsWith('charge.dispute'))).toEqual([
      'charge.dispute.created',
      'charge.dispute.closed',
    ]);
  });
});

describe('credit notes over open invoices', () => {
  test('in part it lowers what is due; in full the invoice is paid by nobody', async () => {
    const { stripe } = await startBilling();
    const { id } = await stripe.invoices.create({ customer: 'cus_1', currency: 'usd' });
    await stripe.invoiceItems.create({
      customer: 'cus_1',
      invoice: id,
      amount: 500,
      currency: 'usd',
    });
    await stripe.invoices.finalizeInvoice(id);
    await stripe.creditNotes.create({ invoice: id, amount: 200 });
    const part = { status: 'open', amount_due: 300, pre_payment_credit_notes_amount: 200 };
    expect(await stripe.invoices.retrieve(id)).toMatchObject(part);
    await stripe.creditNotes.create({ invoice: id, amount: 300 });
    const whole = { status: 'paid', amount_paid: 0, pre_payment_credit_notes_amount: 500 };
    expect(await stripe.invoices.retrieve(id)).toMatchObject(whole);
    const more = stripe.creditNotes.create({ invoice: id, amount: 1 });
    expect((await failureOf(more)).statusCode).toBe(400);
  });
});

test('a checkout in payment mode makes a receipt that names no payment', async () => {
  const { stripe, control } = await startBilling();
  const session = await stripe.checkout.sessions.create({
    mode: 'payment',
    customer: 'cus_1',
    invoice_creation: { enabled: true },
    line_items: [
      {
        quantity: 2,
        price_data: { currency: 'usd', unit_amount: 350, product_data: { name: 'Once' } },
      },
    ],
    success_url: 'http://127.0.0.1/done',
  });
  await control.payCheckout(session.id);
  const { invoice } = await stripe.checkout.sessions.retrieve(session.id);
  const receipt = await stripe.invoices.retrieve(idOf(invoice), { expand: ['payments'] });
  expect(receipt).toMatchObject({ status: 'paid', amount_paid: 700 });
  expect(receipt.payments?.data).toEqual([]);
});

test('objects show ten of their items and lines; the lists have all of them', async () => {
  const { stripe } = await startBilling();
  const { id: product } = await stripe.products.create({ name: 'Parts' });
  const prices: string[] = [];
  for (let unit = 100; unit < 112; unit += 1) {
    const recurring = { interval: 'month' as const };
    const wanted = { product, currency: 'usd', unit_amount: unit, recurring };
    prices.push((await stripe.prices.create(wanted)).id);
  }
  const items = prices.map((price) => ({ price }));
  const made = await stripe.subscriptions.create({ customer: 'cus_1', items });
  const invoice = await stripe.invoices.retrieve(idOf(made.latest_invoice));
  for (const shown of [made.items, invoice.lines]) {
    expect([shown.data.length, shown.has_more]).toEqual([10, true]);
  }
  const all = await stripe.subscriptionItems.list({ subscription: made.id, limit: 100 });
  expect(all.data.map(({ price }) => price.id)).toEqual(prices);
  expect((await stripe.invoices.listLineItems(invoice.id, { limit: 100 })).data).toHaveLength(12);
});

test('event destinations are the endpoints for thin events; the address is shown on demand', async () => {
  const { stripe, control } = await startBilling();
  await control.configureWebhooks({ paused: true });
  await control.addWebhook({ url: 'http://127.0.0.1:9/one', thin: false });
  await control.addWebhook({ url: 'http://127.0.0.1:9/two' });
  const redacted = await stripe.v2.core.eventDestinations.list();
  expect(redacted.data).toMatchObject([{ event_payload: 'thin', webhook_endpoint: { url: null } }]);
  const shown = await stripe.v2.core.eventDestinations.list({ include: ['webhook_endpoint.url'] });
  expect(shown.data).toMatchObject([{ webhook_endpoint: { url: 'http://127.0.0.1:9/two' } }]);
});

test('a report may count more than it names, and take events out of the sums', async () => {
  const { stripe, control } = await startBilling();
  const meter = await createMeter(stripe, 'reported');
  for (const identifier of ['a', 'b', 'c']) {
    const payload = { stripe_customer_id: 'cus_1', value: '10' };
    await stripe.billing.meterEvents.create({ event_name: 'reported', identifier, payload });
  }
  const { id } = await control.reportMeterErrors({
    meter: meter.id,
    errors: [
      { identifier: 'a', lost: true },
      { identifier: 'b', lost: true, unnamed: true },
    ],
  });
  const event = (await stripe.v2.core.events.retrieve(id)) as unknown as { data: unknown };
  const samples = [{ request: { identifier: 'a' } }];
  expect(event.data).toMatchObject({
    reason: { error_count: 2, error_types: [{ error_count: 2, sample_errors: samples }] },
  });
  const sums = await control.sums();
  expect(sums.find(({ eventName }) => eventName === 'reported')).toMatchObject({ total: '10' });
});
