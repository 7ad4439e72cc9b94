import { describe, expect, test } from 'vitest';
import { giveCard, startBilling } from './billing-support.ts';
import { failureOf, idOf } from './support.ts';

const atNoon = Date.UTC(2026, 10, 3, 12) / 1000;

describe('subscriptions', () => {
  test('are created, paid at once, and shown with the moved fields', async () => {
    const { stripe, licensed, metered, eventTypes } = await startBilling();
    const subscription = await stripe.subscriptions.create({
      customer: 'cus_1',
      items: [{ price: licensed.id, quantity: 2 }, { price: metered.id }],
      metadata: { userId: 'user_1' },
      expand: ['latest_invoice.payments'],
    });
    expect(subscription).toMatchObject({ status: 'active', customer: 'cus_1', currency: 'usd' });
    const [first, second] = subscription.items.data;
    expect([first?.quantity, second?.quantity]).toEqual([2, undefined]);
    const december = Date.UTC(2026, 11, 3, 12) / 1000;
    expect([first?.current_period_start, first?.current_period_end]).toEqual([atNoon, december]);
    expect(subscription).not.toHaveProperty('current_period_end');
    const invoice = subscription.latest_invoice;
    if (invoice === null || typeof invoice === 'string') throw new Error('not expanded');
    expect(invoice).toMatchObject({
      amount_paid: 4000,
      billing_reason: 'subscription_create',
      parent: {
        subscription_details: { subscription: subscription.id, metadata: { userId: 'user_1' } },
      },
      status: 'paid',
    });
    expect(invoice).not.toHaveProperty('subscription');
    const payment = invoice.payments?.data[0]?.payment;
    const intent = await stripe.paymentIntents.retrieve(idOf(payment?.payment_intent));
    expect(intent).toMatchObject({ amount: 4000, status: 'succeeded', customer: 'cus_1' });
    const unexpanded = await stripe.invoices.retrieve(invoice.id);
    expect(unexpanded).not.toHaveProperty('payments');
    expect(await eventTypes(['customer.subscription', 'invoice.', 'payment_intent'])).toEqual([
      'customer.subscription.created',
      'invoice.created',
      'customer.subscription.updated',
      'payment_intent.created',
      'invoice.updated',
      'invoice.finalized',
      'payment_intent.succeeded',
      'invoice.updated',
      'invoice.paid',
      'invoice.payment_succeeded',
      'customer.subscription.updated',
    ]);
  });

  test('need a payment method when something is due, and no quantity when metered', async () => {
    const { stripe, control, licensed, metered } = await startBilling();
    await control.createCustomer({ id: 'cus_2' });
    const create = stripe.subscriptions.create({
      customer: 'cus_2',
      items: [{ price: licensed.id }],
    });
    expect(await failureOf(create)).toMatchObject({ statusCode: 400, code: 'resource_missing' });
    const wrong = stripe.subscriptions.create({
      customer: 'cus_2',
      items: [{ price: metered.id, quantity: 1 }],
    });
    expect(await failureOf(wrong)).toMatchObject({ param: 'items[0][quantity]' });
    const free = await stripe.subscriptions.create({
      customer: 'cus_2',
      items: [{ price: metered.id }],
    });
    expect(free.status).toBe('active');
  });

  test('change with what was before, are cancelled at the end, and withdrawn', async () => {
    const { stripe, licensed, metered } = await startBilling();
    const { id, items } = await stripe.subscriptions.create({
      customer: 'cus_1',
      items: [{ price: metered.id }],
      metadata: { plan: 'free' },
    });
    const item = items.data[0]?.id ?? '';
    await stripe.subscriptions.update(id, {
      items: [{ id: item, price: licensed.id }],
      metadata: { plan: 'pro' },
      proration_behavior: 'none',
    });
    const ending = await stripe.subscriptions.update(id, { cancel_at_period_end: true });
    expect(ending.cancel_at).toBe(ending.items.data[0]?.current_period_end);
    await stripe.subscriptions.update(id, { cancel_at_period_end: false });
    await stripe.subscriptions.update(id, { pause_collection: { behavior: 'void' } });
    await stripe.subscriptions.update(id, { pause_collection: '' });
    const { data } = await stripe.events.list({ types: ['customer.subscription.updated'] });
    const previous = data.map((event) => event.data.previous_attributes).reverse();
    expect(previous[1]).toMatchObject({
      items: { data: [{ price: { id: metered.id } }] },
      metadata: { plan: 'free' },
    });
    expect(previous.slice(2)).toEqual([
      {
        cancel_at: null,
        cancel_at_period_end: false,
        canceled_at: null,
        cancellation_details: { reason: null },
      },
      {
        cancel_at: ending.cancel_at,
        cancel_at_period_end: true,
        canceled_at: ending.canceled_at,
        cancellation_details: { reason: 'cancellation_requested' },
      },
      { pause_collection: null },
      { pause_collection: { behavior: 'void', resumes_at: null } },
    ]);
  });

  test('bill metered usage at the end of the period, and pass to the next', async () => {
    const { stripe, control, metered } = await startBilling();
    const { id } = await stripe.subscriptions.create({
      customer: 'cus_1',
      items: [{ price: metered.id }],
    });
    await stripe.billing.meterEvents.create({
      event_name: 'file_processed',
      payload: { stripe_customer_id: 'cus_1', value: '250' },
    });
    await control.setClock('2026-12-03T12:00:01Z');
    const ended = await control.endPeriod(id);
    expect(ended).toMatchObject({ status: 'active', invoiceStatus: 'paid' });
    const invoice = await stripe.invoices.retrieve(ended.invoice ?? '');
    expect(invoice).toMatchObject({ billing_reason: 'subscription_cycle', total: 750 });
    expect(invoice.lines.data).toMatchObject([
      { amount: 750, quantity: 250, pricing: { price_details: { price: metered.id } } },
    ]);
    const { items } = await stripe.subscriptions.retrieve(id);
    expect(items.data[0]).toMatchObject({
      current_period_start: Date.UTC(2026, 11, 3, 12) / 1000,
      current_period_end: Date.UTC(2027, 0, 3, 12) / 1000,
    });
  });

  test('fall past due when the card refuses, and are active again once paid', async () => {
    const { stripe, control, licensed, card, eventTypes } = await startBilling();
    const { id } = await stripe.subscriptions.create({
      customer: 'cus_1',
      items: [{ price: licensed.id }],
    });
    await giveCard(stripe, 'cus_1', 'pm_card_chargeCustomerFail');
    const failed = await control.endPeriod(id);
    expect(failed).toMatchObject({ status: 'past_due', invoiceStatus: 'open' });
    const { data } = await stripe.invoices.list({ subscription: id, status: 'open' });
    expect(data[0]).toMatchObject({ attempt_count: 1, attempted: true, amount_remaining: 2000 });
    const again = stripe.invoices.pay(failed.invoice ?? '');
    expect(await failureOf(again)).toMatchObject({ statusCode: 402, code: 'card_declined' });
    const paid = await stripe.invoices.pay(failed.invoice ?? '', { payment_method: card.id });
    expect(paid).toMatchObject({ status: 'paid', attempt_count: 3 });
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('active');
    expect(await eventTypes(['invoice.payment'])).toEqual([
      'invoice.payment_succeeded',
      'invoice.payment_failed',
      'invoice.payment_failed',
      'invoice.payment_succeeded',
    ]);
  });

  test('end with their usage billed only with invoice_now, pause and resume', async () => {
    const { stripe, control, metered, eventTypes } = await startBilling();
    const start = async (): Promise<string> => {
      const created = await stripe.subscriptions.create({
        customer: 'cus_1',
        items: [{ price: metered.id }],
      });
      return created.id;
    };
    const [lost, billed] = [await start(), await start()];
    await stripe.billing.meterEvents.create({
      event_name: 'file_processed',
      payload: { stripe_customer_id: 'cus_1', value: '100' },
    });
    await control.advanceClock(60_000);
    const gone = await stripe.subscriptions.cancel(lost);
    expect(gone).toMatchObject({ status: 'canceled', ended_at: atNoon + 60 });
    const last = await stripe.subscriptions.cancel(billed, {
      invoice_now: true,
      expand: ['latest_invoice'],
    });
    expect(last.latest_invoice).toMatchObject({ total: 300, status: 'paid' });
    expect(await failureOf(stripe.subscriptions.cancel(lost))).toMatchObject({ statusCode: 404 });
    expect((await stripe.subscriptions.list({ customer: 'cus_1' })).data).toEqual([]);
    const all = await stripe.subscriptions.list({ customer: 'cus_1', status: 'all' });
    expect(all.data).toHaveLength(2);

    const paused = await stripe.subscriptions.pause(await start());
    expect(paused.status).toBe('paused');
    const resumed = await stripe.subscriptions.resume(paused.id, {
      billing_cycle_anchor: { type: 'unchanged' },
    });
    expect(resumed.status).toBe('active');
    await stripe.subscriptions.update(paused.id, { cancel_at_period_end: true });
    expect(await control.endPeriod(paused.id)).toMatchObject({ status: 'canceled' });
    const types = ['deleted', 'paused', 'resumed'].map((type) => `customer.subscription.${type}`);
    expect(await eventTypes(types)).toEqual(
      ['deleted', 'deleted', 'paused', 'resumed', 'deleted'].map(
        (type) => `customer.subscription.${type}`,
      ),
    );
  });
});
