import { describe, expect, test } from 'vitest';
import { useDynamodb } from '../tables/support.ts';
import { createBillingApi } from './billing-support.ts';

const database = useDynamodb();
const checkout = '/v1/billing/checkout';
const portal = '/v1/billing/portal';
const account = '/v1/billing/account';

async function setUp(changes: Parameters<typeof createBillingApi>[1] = {}) {
  const api = await createBillingApi(await database.newStore(), changes);
  return { ...api, one: await api.payer('cus_1') };
}

describe('POST /v1/billing/checkout', () => {
  test('a page at Stripe: a subscription to every metered price, without a quantity', async () => {
    const { one, stripe, open } = await setUp();
    const answer = await one.call('POST', checkout);
    expect(answer.status).toBe(200);
    const [session, ...others] = await open('cus_1');
    expect(others).toEqual([]);
    expect(session).toMatchObject({
      url: answer.body['url'],
      mode: 'subscription',
      client_reference_id: 'cus_1',
      success_url: 'https://durabill.example/?checkout=paid',
      cancel_url: 'https://durabill.example/?checkout=left',
    });
    const { data } = await stripe.checkout.sessions.listLineItems(session?.id ?? '');
    expect(data.map(({ price, quantity }) => [price?.lookup_key, quantity])).toEqual([
      ['durabill_file_processing_monthly', null],
      ['durabill_storage_monthly', null],
    ]);
  });

  test('asked for again, and twenty times at once: one session, one address', async () => {
    const { one, open } = await setUp();
    const asked = Array.from({ length: 20 }, async () => await one.call('POST', checkout));
    const answers = await Promise.all(asked);
    // Who was overtaken too often is told to try again; nobody gets another page.
    const told = answers.filter(({ status }) => status === 200).map(({ body }) => body['url']);
    expect(answers.every(({ status }) => status === 200 || status === 503)).toBe(true);
    const again = await one.call('POST', checkout);
    expect(new Set([...told, again.body['url']]).size).toBe(1);
    expect(await open('cus_1')).toHaveLength(1);
  });

  test('with other addresses to come back to, the open one ends: never two at a time', async () => {
    const { one, open } = await setUp();
    const to = (successUrl: string) => one.call('POST', checkout, { successUrl });
    await Promise.all(['a', 'b', 'c'].map(async (name) => await to(`https://${name}.example/`)));
    expect(await open('cus_1')).toHaveLength(1);
    const last = await to('https://last.example/{CHECKOUT_SESSION_ID}');
    expect(await open('cus_1')).toMatchObject([
      { url: last.body['url'], success_url: 'https://last.example/{CHECKOUT_SESSION_ID}' },
    ]);
  });

  test('once it is paid there is no other: 409, and no second subscription', async () => {
    const { one, open, stripe, control } = await setUp();
    await one.call('POST', checkout);
    const [session] = await open('cus_1');
    await control.payCheckout(session?.id ?? '');
    const again = await one.call('POST', checkout, { successUrl: 'https://other.example/' });
    expect([again.status, again.body['error']]).toEqual([409, 'conflict']);
    expect(await open('cus_1')).toEqual([]);
    const { data } = await stripe.subscriptions.list({ customer: 'cus_1' });
    expect(data).toHaveLength(1);
    await stripe.subscriptions.cancel(data[0]?.id ?? '');
    expect((await one.call('POST', checkout)).status).toBe(200);
  });

  test('an older price of the same meter is a subscription too; another meter is not', async () => {
    const { one, stripe } = await setUp();
    const subscribe = async (meter: string, amount: number) => {
      const { id: product } = await stripe.products.create({ name: 'Bytes' });
      const recurring = { interval: 'month' as const, usage_type: 'metered' as const, meter };
      const wanted = { product, currency: 'usd', unit_amount: amount, recurring };
      const { id: price } = await stripe.prices.create(wanted);
      await stripe.subscriptions.create({ customer: 'cus_1', items: [{ price }] });
    };
    const other = await stripe.billing.meters.create({
      display_name: 'Seats',
      event_name: 'seats',
      default_aggregation: { formula: 'sum' },
    });
    await subscribe(other.id, 5);
    expect((await one.call('POST', checkout)).status).toBe(200);
    const { data: meters } = await stripe.billing.meters.list();
    const ours = meters.find(({ event_name: name }) => name === 'storage-usage');
    await subscribe(ours?.id ?? '', 7);
    expect((await one.call('POST', checkout)).status).toBe(409);
  });

  test('an answer that was lost, and one that Stripe saved as an error: the next try has the page', async () => {
    const { one, open, control } = await setUp();
    for (const kind of ['fail_before', 'fail_after'] as const) {
      await control.fault({ kind, method: 'POST', path: '/v1/checkout/sessions' });
      const failed = await one.call('POST', checkout, { successUrl: `https://${kind}.example/` });
      expect([failed.status, failed.body['error']]).toEqual([503, 'unavailable']);
      const answer = await one.call('POST', checkout, { successUrl: `https://${kind}.example/` });
      expect(answer.status).toBe(200);
      expect(await open('cus_1')).toMatchObject([{ url: answer.body['url'] }]);
    }
  });

  test('without prices at Stripe: 503, of which the log says what to do and the answer nothing', async () => {
    const { one, lines } = await setUp({ hasCatalog: false });
    const answer = await one.call('POST', checkout);
    expect([answer.status, answer.body['error']]).toEqual([503, 'unavailable']);
    expect(JSON.stringify(answer.body)).not.toContain('durabill');
    expect(lines.join('')).toContain('durabill setup');
  });
});

describe('POST /v1/billing/portal', () => {
  test('a page at Stripe for this customer, that leads back to where it was asked to', async () => {
    const { one } = await setUp();
    const usual = await one.call('POST', portal);
    expect(usual.status).toBe(200);
    const page = await (await fetch(String(usual.body['url']))).text();
    expect(page).toContain('https://durabill.example/?portal=left');
    const own = await one.call('POST', portal, { returnUrl: 'https://shop.example/me' });
    expect(await (await fetch(String(own.body['url']))).text()).toContain(
      'https://shop.example/me',
    );
  });

  test('the same request again is the same session; another one is another', async () => {
    const { one } = await setUp();
    const ask = async (id: string, returnUrl = 'https://shop.example/') => {
      const answer = await one.call('POST', portal, { returnUrl }, { 'X-Request-Id': id });
      expect(answer.status).toBe(200);
      return answer.body['url'];
    };
    const first = await ask('request-1');
    expect(await ask('request-1')).toBe(first);
    expect(await ask('request-2')).not.toBe(first);
    expect(await ask('request-1', 'https://other.example/')).not.toBe(first);
  });
});

describe('GET /v1/billing/account', () => {
  const at = (second: number) => `2026-11-21T10:00:0${second}.000Z`;

  test('status, plan, the living subscription and the last payments, of this customer alone', async () => {
    const { one, payer, tables } = await setUp();
    const two = await payer('cus_2');
    const truth = { customerId: 'cus_1', prices: ['price_1'], paused: false };
    const gone = { ...truth, status: 'canceled', cancelAtPeriodEnd: false, endedAt: at(1) };
    await tables.subscriptions.mirror(
      { ...gone, subscriptionId: 'sub_2', stripeCreated: at(2) },
      0,
    );
    const living = { ...truth, status: 'active', cancelAtPeriodEnd: true, stripeCreated: at(1) };
    const period = { currentPeriodStart: at(1), currentPeriodEnd: '2026-12-21T10:00:01.000Z' };
    await tables.subscriptions.mirror({ ...living, ...period, subscriptionId: 'sub_1' }, 0);
    const money = { customerId: 'cus_1', amount: 1234, currency: 'usd' };
    const paid = { ...money, paymentId: 'pi_1', status: 'succeeded' as const };
    await tables.payments.mirror({ ...paid, stripeCreated: at(1), refundedAmount: 34 }, 0);
    const failed = { ...money, paymentId: 'pi_2', status: 'failed' as const };
    const reason = { failureReason: 'card_declined', userId: 'somebody' };
    await tables.payments.mirror({ ...failed, ...reason, stripeCreated: at(2) }, 0);
    await tables.customers.change(
      'cus_1',
      {
        billingStatus: 'past_due',
        standing: {
          debts: [],
          subscriptions: ['sub_1'],
          hadSubscription: true,
          paidCheckout: false,
        },
      },
      await tables.customers.standingOf('cus_1'),
      { plan: 'free', createdAt: at(0) },
    );
    const shown = await one.call('GET', account);
    expect(shown.body).toEqual({
      customerId: 'cus_1',
      status: 'past_due',
      plan: 'free',
      subscription: {
        subscriptionId: 'sub_1',
        status: 'active',
        isPaused: false,
        ...period,
        cancelsAt: period.currentPeriodEnd,
      },
      payments: [
        {
          paymentId: 'pi_2',
          status: 'failed',
          amount: 1234,
          currency: 'usd',
          createdAt: at(2),
          failureReason: 'card_declined',
        },
        {
          paymentId: 'pi_1',
          status: 'succeeded',
          amount: 1234,
          currency: 'usd',
          createdAt: at(1),
          refundedAmount: 34,
        },
      ],
    });
    const none = { customerId: 'cus_2', status: 'none', plan: 'free', payments: [] };
    expect((await two.call('GET', account)).body).toEqual(none);
  });

  test('without a living subscription it is the last one that ended', async () => {
    const { one, tables } = await setUp();
    const truth = { customerId: 'cus_1', prices: [], paused: false, cancelAtPeriodEnd: false };
    for (const second of [1, 2]) {
      const ended = { ...truth, status: 'canceled', stripeCreated: at(second), endedAt: at(3) };
      await tables.subscriptions.mirror({ ...ended, subscriptionId: `sub_${second}` }, 0);
    }
    const { subscription } = (await one.call('GET', account)).body;
    expect(subscription).toMatchObject({ subscriptionId: 'sub_2', endedAt: at(3) });
  });

  test('GA5 it is shown while Stripe is down', async () => {
    const { one, control } = await setUp();
    await control.fault({ kind: 'drop_before', times: null });
    expect((await one.call('GET', account)).status).toBe(200);
    expect((await one.call('POST', portal)).status).toBe(503);
  });
});

describe('what billing refuses', () => {
  const routes: [method: string, path: string][] = [
    ['POST', checkout],
    ['POST', portal],
    ['GET', account],
  ];

  test.each(routes)('%s %s: 503 billing_disabled without a Stripe key', async (method, path) => {
    const { one } = await setUp({ isOff: true });
    const answer = await one.call(method, path);
    expect([answer.status, answer.body['error']]).toEqual([503, 'billing_disabled']);
  });

  test.each(routes)('%s %s: 403 for an operator, who is no customer', async (method, path) => {
    const { operator } = await setUp();
    expect((await operator(method, path)).status).toBe(403);
  });

  test.each([checkout, portal])('%s: 404 for a customer that is gone at Stripe', async (path) => {
    const { one, stripe } = await setUp();
    await stripe.customers.del('cus_1');
    const answer = await one.call('POST', path);
    expect([answer.status, answer.body['error']]).toEqual([404, 'not_found']);
  });

  test.each([checkout, portal])('%s: 503 for a key that Stripe refuses', async (path) => {
    const { one, control, lines } = await setUp();
    await control.fault({ kind: 'error', status: 401, message: 'Invalid API Key', times: null });
    const answer = await one.call('POST', path);
    expect([answer.status, answer.body['error']]).toEqual([503, 'unavailable']);
    expect(JSON.stringify(answer.body)).not.toContain('API Key');
    expect(lines.join('')).toContain('Invalid API Key');
  });

  test.each([checkout, portal])('%s: 400 when nobody knows where to come back to', async (path) => {
    const { one } = await setUp({ publicUrl: undefined });
    const answer = await one.call('POST', path);
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request']);
  });

  const bad = (field: string): [status: number, body: unknown][] => [
    [400, 'no JSON'],
    [400, '[]'],
    [400, 'null'],
    [400, { other: 1 }],
    [400, { customer: 'cus_2' }],
    [400, { [field]: 7 }],
    [400, { [field]: 'no address' }],
    [400, { [field]: '/relative' }],
    [400, { [field]: 'javascript:alert(1)' }],
    [400, { [field]: `https://x.example/${'x'.repeat(2048)}` }],
    [400, `{"${field}":"\u0000"}`],
    [413, `"${'x'.repeat(10 * 1024 * 1024)}"`],
  ];
  test.each([
    [checkout, 'successUrl'],
    [checkout, 'cancelUrl'],
    [portal, 'returnUrl'],
  ])(
    'GA10 %s, a bad %s: refused, nothing started, nothing logged as an error',
    async (path, field) => {
      const { one, lines, control } = await setUp();
      const before = (await control.requests()).length;
      for (const [status, body] of bad(field)) {
        const answer = await one.call('POST', path, body);
        expect([JSON.stringify(body).slice(0, 60), answer.status]).toEqual([
          JSON.stringify(body).slice(0, 60),
          status,
        ]);
      }
      expect((await control.requests()).length).toBe(before);
      expect(lines.filter((line) => line.includes('"level":50'))).toEqual([]);
    },
  );

  test('GA10 a query or a body that the account does not take changes nothing of its answer', async () => {
    const { one } = await setUp();
    const { body } = await one.call('GET', account);
    expect((await one.call('GET', `${account}?customerId=cus_2`)).body).toEqual(body);
    expect((await one.call('GET', `${account}/../account%00`)).status).toBe(404);
  });
});
