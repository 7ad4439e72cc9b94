import { describe, expect, test } from 'vitest';
import { failureOf, startDouble, startMetering } from './support.ts';

const events = '/v1/billing/meter_events';
const hourMs = 3_600_000;

describe('idempotency keys', () => {
  test('the same key and parameters replay the saved answer', async () => {
    const { post, control } = await startDouble();
    const first = await post('/v1/customers', 'name=A&metadata[x]=1', { 'idempotency-key': 'k' });
    const second = await post('/v1/customers', 'metadata[x]=1&name=A', { 'idempotency-key': 'k' });
    expect(second.body).toBe(first.body);
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.headers.get('original-request')).toBe(first.headers.get('request-id'));
    expect((await control.state()).counts.customers).toBe(1);
  });

  test('other parameters or another route under a key are an idempotency error', async () => {
    const { stripe } = await startDouble();
    await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' });
    const other = stripe.customers.create({ name: 'B' }, { idempotencyKey: 'k' });
    expect(await failureOf(other)).toMatchObject({
      type: 'StripeIdempotencyError',
      statusCode: 400,
    });
    const route = stripe.products.create({ name: 'A' }, { idempotencyKey: 'k' });
    expect(await failureOf(route)).toMatchObject({ type: 'StripeIdempotencyError' });
  });

  test('a key in progress is 409, and free again when the request came to nothing', async () => {
    const { stripe, control, post } = await startDouble();
    await control.fault({ kind: 'hang_before', path: '/v1/customers', times: 1 });
    const leaving = new AbortController();
    const first = fetch(`http://127.0.0.1:${stripe.getApiField('port')}/v1/customers`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_doubleOfStripe', 'idempotency-key': 'k' },
      body: 'name=A',
      signal: leaving.signal,
    });
    await control.waitForHanging();
    const second = stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' });
    expect(await failureOf(second)).toMatchObject({
      type: 'StripeAPIError',
      statusCode: 409,
      code: 'idempotency_key_in_use',
    });
    leaving.abort();
    await expect(first).rejects.toThrow('aborted');
    await control.waitForIdle();
    const third = await post('/v1/customers', 'name=A', { 'idempotency-key': 'k' });
    expect([third.status, third.headers.get('idempotent-replayed')]).toEqual([200, null]);
  });

  test('keys live 24 hours by the clock of the double', async () => {
    const { stripe, control } = await startDouble();
    await control.setClock('2026-11-03T12:00:00Z');
    const create = async () =>
      await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' });
    const { id } = await create();
    await control.advanceClock(24 * hourMs - 1);
    expect((await create()).id).toBe(id);
    await control.advanceClock(1);
    expect((await create()).id).not.toBe(id);
  });

  test('a saved 500 is replayed, before and after the work was done', async () => {
    const { send, control } = await startMetering();
    await control.fault({ kind: 'fail_before', path: events });
    expect(await failureOf(send({ identifier: 'p-1' }))).toMatchObject({ statusCode: 500 });
    const replayed = await failureOf(send({ identifier: 'p-1' }));
    expect([replayed.statusCode, replayed.headers['idempotent-replayed']]).toEqual([500, 'true']);
    expect(await control.total('cus_1', 'file_processed')).toBe('0');
    await send({ identifier: 'p-1', key: 'fresh' });
    await control.fault({ kind: 'fail_after', path: events });
    expect(await failureOf(send({ identifier: 'p-2' }))).toMatchObject({ statusCode: 500 });
    expect(await failureOf(send({ identifier: 'p-2' }))).toMatchObject({ statusCode: 500 });
    expect(await control.total('cus_1', 'file_processed')).toBe('2048');
    expect(await failureOf(send({ identifier: 'p-2', key: 'fresh-2' }))).toMatchObject({
      message: 'An event already exists with identifier p-2.',
    });
  });

  test('what was refused before the endpoint ran is not saved; what it refused itself is', async () => {
    const { send, control } = await startMetering();
    expect(await failureOf(send({ identifier: 'p-1', value: 'x', key: 'k' }))).toMatchObject({
      statusCode: 400,
    });
    await send({ identifier: 'p-1', value: '1', key: 'k' });
    await control.fault({ kind: 'rate_limit', path: events });
    expect(await failureOf(send({ identifier: 'p-2' }))).toMatchObject({ statusCode: 429 });
    await send({ identifier: 'p-2' });
    expect(await failureOf(send({ identifier: 'p-3', customer: 'cus_new' }))).toMatchObject({
      code: 'resource_missing',
    });
    await control.createCustomer({ id: 'cus_new' });
    const saved = await failureOf(send({ identifier: 'p-3', customer: 'cus_new' }));
    expect([saved.code, saved.headers['idempotent-replayed']]).toEqual([
      'resource_missing',
      'true',
    ]);
  });
});
