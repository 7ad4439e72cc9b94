import { expect, test } from 'vitest';
import { startBilling } from './billing-support.ts';
import { failureOf, sender } from './support.ts';

async function subscribed() {
  const billing = await startBilling();
  const { stripe, metered, licensed } = billing;
  const subscription = await stripe.subscriptions.create({
    customer: 'cus_1',
    items: [{ price: licensed.id, quantity: 2 }, { price: metered.id }],
  });
  return { ...billing, subscription, send: sender(stripe) };
}

test('a preview is what the period ends with, to the cent, and keeps nothing', async () => {
  const { stripe, control, subscription, send, eventTypes } = await subscribed();
  await send({ identifier: 'use-1', value: '70' });
  await stripe.invoiceItems.create({ amount: 100, currency: 'usd', customer: 'cus_1' });
  const before = await eventTypes(['invoice']);
  const preview = await stripe.invoices.createPreview({ customer: 'cus_1' });
  expect(preview).toMatchObject({
    id: expect.stringMatching(/^upcoming_in_/) as unknown,
    billing_reason: 'upcoming',
    status: 'draft',
    number: null,
    subtotal: 2 * 2000 + 70 * 3 + 100,
    lines: { data: [{ amount: 4000 }, { amount: 210, quantity: 70 }, { amount: 100 }] },
  });
  expect(await stripe.invoices.createPreview({ subscription: subscription.id })).toMatchObject({
    id: preview.id,
    total: preview.total,
  });
  expect(await eventTypes(['invoice'])).toEqual(before);
  expect((await stripe.invoices.list()).data).toHaveLength(1);
  await control.setClock('2026-12-03T12:00:00Z');
  await control.endPeriod(subscription.id);
  const [real] = (await stripe.invoices.list({ limit: 1 })).data;
  expect(real?.total).toBe(preview.total);
  expect(real?.lines.data.map(({ amount }) => amount)).toEqual([4000, 210, 100]);
});

test('a preview lags as summaries do', async () => {
  const { stripe, control, send } = await subscribed();
  await control.configure({ summaryLagMs: 60_000 });
  await send({ identifier: 'use-1', value: '70' });
  const usage = async () =>
    (await stripe.invoices.createPreview({ customer: 'cus_1' })).lines.data[1]?.quantity_decimal;
  expect(String(await usage())).toBe('0');
  await control.advanceClock(60_000);
  expect(String(await usage())).toBe('70');
});

test('one that is to end at its period bills what was used, and nothing in advance', async () => {
  const { stripe, subscription, send } = await subscribed();
  await send({ identifier: 'use-1', value: '70' });
  await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
  expect((await stripe.invoices.createPreview({ customer: 'cus_1' })).total).toBe(210);
});

test('without a subscription that goes on there is nothing to preview', async () => {
  const { stripe, subscription } = await subscribed();
  await stripe.subscriptions.cancel(subscription.id);
  const none = { statusCode: 400, code: 'invoice_upcoming_none' };
  const preview = stripe.invoices.createPreview.bind(stripe.invoices);
  expect(await failureOf(preview({ customer: 'cus_1' }))).toMatchObject(none);
  expect(await failureOf(preview({ subscription: subscription.id }))).toMatchObject(none);
  expect(await failureOf(preview({}))).toMatchObject({ code: 'parameter_missing' });
  expect(await failureOf(preview({ customer: 'cus_none' }))).toMatchObject({
    statusCode: 400,
    code: 'resource_missing',
  });
  expect(await failureOf(preview({ subscription: 'sub_none' }))).toMatchObject({
    code: 'resource_missing',
  });
});
