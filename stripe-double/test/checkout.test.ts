import { describe, expect, test } from 'vitest';
import { startBilling } from './billing-support.ts';
import { failureOf } from './support.ts';

const urls = { success_url: 'http://127.0.0.1/ok', cancel_url: 'http://127.0.0.1/no' };

describe('checkout sessions', () => {
  test('start a subscription when the customer pays on the page', async () => {
    const { stripe, control, licensed, metered, eventTypes, double } = await startBilling();
    const session = await stripe.checkout.sessions.create({
      ...urls,
      customer: 'cus_1',
      line_items: [{ price: licensed.id, quantity: 1 }, { price: metered.id }],
      metadata: { userId: 'user_1' },
      mode: 'subscription',
      subscription_data: { metadata: { userId: 'user_1' } },
    });
    expect(session).toMatchObject({ amount_total: 2000, payment_status: 'unpaid', status: 'open' });
    expect(session.url).toBe(`${double.url}/checkout/${session.id}`);
    const refused = await control.payCheckout(session.id, { card: 'pm_card_chargeDeclined' });
    expect(refused).toMatchObject({ declineCode: 'generic_decline', status: 'open' });
    const paid = await control.payCheckout(session.id);
    expect(paid).toMatchObject({ declineCode: null, status: 'complete', paymentStatus: 'paid' });
    const done = await stripe.checkout.sessions.retrieve(session.id, {
      expand: ['subscription', 'line_items'],
    });
    expect(done).toMatchObject({
      line_items: { data: [{ quantity: 1 }, { quantity: null }] },
      payment_intent: null,
      subscription: { id: paid.subscription, metadata: { userId: 'user_1' }, status: 'active' },
      url: null,
    });
    expect((await eventTypes(['checkout.', 'customer.subscription.created'])).slice(-2)).toEqual([
      'customer.subscription.created',
      'checkout.session.completed',
    ]);
    await expect(control.payCheckout(session.id)).rejects.toThrow('complete');
  });

  test('take a single payment, at once or later, and expire', async () => {
    const { stripe, control, eventTypes } = await startBilling();
    const create = async () =>
      await stripe.checkout.sessions.create({
        ...urls,
        customer_creation: 'always',
        line_items: [
          {
            price_data: { currency: 'usd', product_data: { name: 'Set-up' }, unit_amount: 900 },
            quantity: 2,
          },
        ],
        mode: 'payment',
        payment_intent_data: { metadata: { userId: 'user_2' } },
      });
    const atOnce = await control.payCheckout((await create()).id, { email: 'new@example.com' });
    const { data } = await stripe.customers.list({ email: 'new@example.com' });
    expect(data[0]?.id).toBe(atOnce.customer);
    const intent = await stripe.paymentIntents.retrieve(atOnce.paymentIntent ?? '');
    expect(intent).toMatchObject({ amount: 1800, metadata: { userId: 'user_2' } });

    for (const outcome of ['succeeded', 'failed'] as const) {
      const later = await control.payCheckout((await create()).id, { isAsync: true });
      expect(later).toMatchObject({ status: 'complete', paymentStatus: 'unpaid' });
      const settled = await control.settleCheckout(later.id, outcome);
      expect(settled.paymentStatus).toBe(outcome === 'succeeded' ? 'paid' : 'unpaid');
    }
    const expiring = await stripe.checkout.sessions.expire((await create()).id);
    const late = await create();
    await control.advanceClock(25 * 3_600_000);
    expect([
      expiring.status,
      (await stripe.checkout.sessions.retrieve(late.id)).status,
      (await stripe.checkout.sessions.list({ status: 'complete' })).data.length,
    ]).toEqual(['expired', 'expired', 3]);
    expect(await eventTypes(['checkout.session'])).toEqual(
      [
        'completed',
        'completed',
        'async_payment_succeeded',
        'completed',
        'async_payment_failed',
        'expired',
        'expired',
      ].map((event) => `checkout.session.${event}`),
    );
  });

  test('are refused with a quantity where it is metered, and without one where it is not', async () => {
    const { stripe, licensed, metered, post } = await startBilling();
    const create = async (line: { price: string; quantity?: number }) =>
      await failureOf(
        stripe.checkout.sessions.create({ ...urls, line_items: [line], mode: 'subscription' }),
      );
    expect(await create({ price: metered.id, quantity: 1 })).toMatchObject({
      param: 'line_items[0][quantity]',
    });
    expect(await create({ price: licensed.id })).toMatchObject({
      code: 'parameter_missing',
      param: 'line_items[0][quantity]',
    });
    const form = `mode=subscription&success_url=http://a&line_items[0][price]=${metered.id}&payment_method_types[0]=card`;
    expect((await post('/v1/checkout/sessions', form)).body).toContain('parameter_unknown');
  });

  test('the page pays and declines, and the portal has its own', async () => {
    const { stripe, licensed, double } = await startBilling();
    const session = await stripe.checkout.sessions.create({
      ...urls,
      customer: 'cus_1',
      line_items: [{ price: licensed.id, quantity: 1 }],
      mode: 'subscription',
    });
    const page = await (await fetch(session.url ?? '')).text();
    expect(page).toContain('20.00');
    const press = async (button: string) =>
      await fetch(`${double.url}/checkout/${session.id}/${button}`, {
        method: 'POST',
        redirect: 'manual',
      });
    const declined = await press('decline');
    expect(await declined.text()).toContain('declined');
    const paid = await press('pay');
    expect([paid.status, paid.headers.get('location')]).toEqual([303, urls.success_url]);
    const { status } = await stripe.checkout.sessions.retrieve(session.id);
    expect(status).toBe('complete');
    const portal = await stripe.billingPortal.sessions.create({
      customer: 'cus_1',
      return_url: 'http://127.0.0.1/account',
    });
    expect(await (await fetch(portal.url)).text()).toContain('http://127.0.0.1/account');
  });
});
