import { describe, expect, test } from 'vitest';
import { failureOf, sdkFor, secretKey, startDouble, startMetering } from './support.ts';

const events = '/v1/billing/meter_events';

describe('faults', () => {
  test('hit as many requests as they were told, of the route and body they name', async () => {
    const { send, control, stripe } = await startMetering();
    await control.createCustomer({ id: 'cus_2' });
    await control.fault({ kind: 'fail_before', path: '/v1/billing/*', match: 'cus_2', times: 2 });
    await send({ identifier: 'p-1' });
    for (const key of ['a', 'b']) {
      const sent = send({ identifier: 'p-2', customer: 'cus_2', key });
      expect(await failureOf(sent)).toMatchObject({ type: 'StripeAPIError', statusCode: 500 });
    }
    await send({ identifier: 'p-2', customer: 'cus_2', key: 'c' });
    await stripe.customers.list();
    const [fault] = await control.faults();
    expect([fault?.hits, fault?.remaining]).toEqual([2, 0]);
  });

  test('with exact parameters, and until cleared', async () => {
    const { send, control } = await startMetering();
    const where = { identifier: 'p-1' };
    const { id } = await control.fault({ kind: 'fail_before', path: events, where, times: null });
    for (const key of ['a', 'b', 'c']) {
      expect(await failureOf(send({ identifier: 'p-1', key }))).toMatchObject({ statusCode: 500 });
    }
    await send({ identifier: 'p-10' });
    await control.clearFaults(id);
    await send({ identifier: 'p-1', key: 'd' });
    expect(await control.total('cus_1', 'file_processed')).toBe('2048');
  });

  test('rate_limit answers 429 with Retry-After', async () => {
    const { send, control } = await startMetering();
    await control.fault({ kind: 'rate_limit', path: events, retryAfter: 7 });
    const failure = await failureOf(send({ identifier: 'p-1' }));
    expect(failure).toMatchObject({ type: 'StripeRateLimitError', code: 'rate_limit' });
    expect(failure.headers['retry-after']).toBe('7');
  });

  test('error refuses in the words it was given; status answers in front of the endpoint', async () => {
    const { stripe, control } = await startDouble();
    const create = async (key: string) =>
      await stripe.customers.create({ name: 'A' }, { idempotencyKey: key });
    await control.fault({
      kind: 'error',
      path: '/v1/customers',
      status: 402,
      code: 'card_declined',
      message: 'Your card was declined.',
    });
    expect(await failureOf(create('a'))).toMatchObject({
      type: 'StripeCardError',
      statusCode: 402,
      code: 'card_declined',
      message: 'Your card was declined.',
    });
    expect((await failureOf(create('a'))).headers['idempotent-replayed']).toBe('true');
    await control.fault({ kind: 'status', path: '/v1/customers', status: 503 });
    expect(await failureOf(create('b'))).toMatchObject({ statusCode: 503 });
    expect((await create('b')).name).toBe('A');
  });

  test('html_502 answers HTML, and saves nothing', async () => {
    const { send, control, post } = await startMetering();
    await control.fault({ kind: 'html_502', path: events, times: 2 });
    const bare = await post(events, 'event_name=x');
    expect([bare.status, bare.headers.get('content-type')]).toEqual([502, 'text/html']);
    expect(await failureOf(send({ identifier: 'p-1' }))).toMatchObject({ type: 'StripeAPIError' });
    expect((await send({ identifier: 'p-1' })).identifier).toBe('p-1');
  });

  test('drop_before applies nothing, drop_after does', async () => {
    const { control, post } = await startMetering();
    const form = (identifier: string) =>
      `event_name=file_processed&identifier=${identifier}&payload[stripe_customer_id]=cus_1&payload[value]=3`;
    await control.fault({ kind: 'drop_before', path: events, match: 'p-1' });
    await control.fault({ kind: 'drop_after', path: events, match: 'p-2' });
    await expect(post(events, form('p-1'))).rejects.toThrow('fetch failed');
    await expect(post(events, form('p-2'), { 'idempotency-key': 'p-2' })).rejects.toThrow(
      'fetch failed',
    );
    expect((await control.events()).map(({ identifier }) => identifier)).toEqual(['p-2']);
    const again = await post(events, form('p-2'), { 'idempotency-key': 'p-2' });
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 'true']);
  });

  test('through the SDK a broken connection is tried once more under the same key', async () => {
    const { send, control } = await startMetering();
    await control.fault({ kind: 'drop_after', path: events });
    expect((await send({ identifier: 'p-1' })).lastResponse.headers['idempotent-replayed']).toBe(
      'true',
    );
    await control.fault({ kind: 'drop_before', path: events, times: 2 });
    expect(await failureOf(send({ identifier: 'p-2' }))).toMatchObject({
      type: 'StripeConnectionError',
    });
    expect(await control.total('cus_1', 'file_processed')).toBe('1024');
  });

  test('a delay is nothing but late', async () => {
    const { send, control } = await startMetering();
    await control.fault({ kind: 'delay', path: events, delayMs: 5 });
    await send({ identifier: 'p-1' });
    expect((await control.requests())[0]).toMatchObject({ status: 200, fault: 'delay' });
  });

  test('hang_after applied it: the lock and the key are free, and the answer is saved', async () => {
    const { double, control, send } = await startMetering();
    await control.fault({ kind: 'hang_after', path: events, match: 'p-1' });
    const impatient = sdkFor(double.port).billing.meterEvents.create(
      {
        event_name: 'file_processed',
        identifier: 'p-1',
        payload: { stripe_customer_id: 'cus_1', value: '1024' },
      },
      { idempotencyKey: 'p-1', timeout: 300 },
    );
    const lost = failureOf(impatient);
    await control.wait({ events: 1 });
    expect(await control.total('cus_1', 'file_processed')).toBe('1024');
    expect((await send({ identifier: 'p-1' })).lastResponse.headers['idempotent-replayed']).toBe(
      'true',
    );
    await send({ identifier: 'p-2' });
    expect(await lost).toMatchObject({ type: 'StripeConnectionError' });
    expect(await control.total('cus_1', 'file_processed')).toBe('2048');
  });

  test('a wrong fault is refused, and the wait gives up at its timeout', async () => {
    const { control } = await startDouble();
    await expect(control.fault({ kind: 'fail_before', path: '/x', times: 0 })).rejects.toThrow(
      '400',
    );
    await expect(control.waitForHanging(1, 1)).rejects.toThrow('408');
  });
});

describe('rate limits', () => {
  test('over the rate is 429 rate_limit, and the next second is free again', async () => {
    let now = Date.UTC(2026, 10, 3);
    const { stripe, control } = await startDouble({ now: () => now });
    await control.configure({ perSecond: 2, retryAfterSeconds: 1 });
    await stripe.customers.list();
    await stripe.customers.list();
    const failure = await failureOf(Promise.resolve(stripe.customers.list()));
    expect([failure.statusCode, failure.code, failure.headers['retry-after']]).toEqual([
      429,
      'rate_limit',
      '1',
    ]);
    now += 1000;
    await stripe.customers.list();
    await control.configure({ perSecond: null });
    for (let count = 0; count < 10; count += 1) await stripe.customers.list();
  });

  test('meter events may have their own', async () => {
    const now = Date.UTC(2026, 10, 3);
    const { stripe, control, send } = await startMetering({ now: () => now });
    await control.configure({ perSecond: 1, meterEventsPerSecond: 3 });
    for (const identifier of ['p-1', 'p-2', 'p-3']) await send({ identifier });
    expect(await failureOf(send({ identifier: 'p-4' }))).toMatchObject({ code: 'rate_limit' });
    await stripe.customers.list();
  });
});

describe('what can be looked at', () => {
  test('the request log tells the story, without the secret key', async () => {
    const { send, control, double } = await startMetering();
    await control.fault({ kind: 'fail_after', path: events });
    await failureOf(send({ identifier: 'p-1' }));
    const state = await control.state({ identifier: 'p-1' });
    expect(state.requests[0]).toMatchObject({
      method: 'POST',
      path: events,
      idempotencyKey: 'p-1',
      status: 500,
      fault: 'fail_after',
      replayed: false,
    });
    expect(state.events.events).toMatchObject([{ identifier: 'p-1', customer: 'cus_1' }]);
    expect([state.inFlight, state.hanging]).toEqual([0, 0]);
    const text = await (await fetch(`${double.url}/_double/state`)).text();
    expect(text).not.toContain(secretKey);
  });

  test('events are filtered and paged', async () => {
    const { send, control } = await startMetering();
    await control.createCustomer({ id: 'cus_2' });
    for (let count = 1; count <= 5; count += 1) await send({ identifier: `p-${count}` });
    await send({ identifier: 'q-1', customer: 'cus_2' });
    const page = await control.eventPage({ customer: 'cus_1', limit: 2 });
    expect([page.events.map(({ identifier }) => identifier), page.hasMore]).toEqual([
      ['p-5', 'p-4'],
      true,
    ]);
    expect((await control.events({ customer: 'cus_1' })).map(({ sequence }) => sequence)).toEqual([
      5, 4, 3, 2, 1,
    ]);
  });

  test('a ticking clock can be shifted, and put right', async () => {
    const { control } = await startDouble({ now: () => 1000 });
    expect(await control.advanceClock(500)).toMatchObject({ nowMs: 1500, mode: 'shifted' });
    expect(await control.setClock(9000)).toMatchObject({ nowMs: 9000, mode: 'frozen' });
    expect(await control.setClock(9000, { ticking: true })).toMatchObject({ mode: 'shifted' });
    expect(await control.resetClock()).toMatchObject({ nowMs: 1000, mode: 'real' });
  });

  test('the page shows what came in, escaped, and web pages of elsewhere are refused', async () => {
    const { control, send, double } = await startMetering();
    await control.createCustomer({ id: 'cus_3', name: '<script>alert(1)</script>' });
    await send({ identifier: 'p-1', value: '1234567' });
    const page = await (await fetch(double.url)).text();
    expect(page).toContain('1,234,567');
    expect(page).toContain('&lt;script&gt;alert(1)');
    expect(page).not.toContain('<script>alert');
    const foreign = { 'sec-fetch-site': 'cross-site' };
    const refused = await fetch(`${double.url}/_double/reset`, {
      method: 'POST',
      headers: foreign,
    });
    expect(refused.status).toBe(403);
    expect((await fetch(`${double.url}/healthz`)).status).toBe(200);
  });

  test('reset forgets everything', async () => {
    const { control, send, stripe } = await startMetering();
    await send({ identifier: 'p-1' });
    await control.fault({ kind: 'fail_before', path: '/v1/**', times: null });
    await control.reset();
    const { counts, faults, sums, totalRequests } = await control.state();
    expect([counts.events, counts.customers, faults, sums, totalRequests]).toEqual([
      0,
      0,
      [],
      [],
      0,
    ]);
    expect((await stripe.customers.list()).data).toEqual([]);
  });
});
