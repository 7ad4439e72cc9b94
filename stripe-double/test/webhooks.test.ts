import Stripe from 'stripe';
import { describe, expect, test } from 'vitest';
import { startReceiver } from './receiver.ts';
import { failureOf, startDouble } from './support.ts';

const secret = 'whsec_test';

async function startDelivering(options: Parameters<typeof startReceiver>[1] = {}) {
  const receiver = await startReceiver(secret, options);
  const webhooks = [{ url: receiver.url, secret }];
  const started = await startDouble({ webhooks, delivery: { retryScale: 0 } });
  return { ...started, receiver };
}

describe('webhooks', () => {
  test('come signed by the real time, as the SDK verifies, with the pinned version', async () => {
    const { stripe, control, receiver } = await startDelivering();
    await control.setClock('2027-01-01T00:00:00Z');
    const { id } = await stripe.customers.create(
      { name: 'Ada', metadata: { a: '1' } },
      { idempotencyKey: 'key-1' },
    );
    await stripe.customers.update(id, { name: 'Grace', metadata: { b: '2' } });
    await stripe.customers.del(id);
    expect(await control.wait({ deliveries: 3 })).toMatchObject({ pendingDeliveries: 0 });
    const events = receiver.received.map(receiver.verified);
    expect(events.map(({ type }) => type).toSorted()).toEqual([
      'customer.created',
      'customer.deleted',
      'customer.updated',
    ]);
    const [created, updated] = ['customer.created', 'customer.updated'].map((type) =>
      events.find((event) => event.type === type),
    );
    expect(created).toMatchObject({
      api_version: '2026-10-28.endive',
      created: Date.UTC(2027, 0, 1) / 1000,
      data: { object: { id, name: 'Ada' } },
      livemode: false,
      request: { id: expect.stringMatching(/^req_/) as unknown, idempotency_key: 'key-1' },
    });
    expect(updated?.data.previous_attributes).toEqual({ name: 'Ada', metadata: { b: null } });
  });

  test('go to registered endpoints of this machine, for what they asked', async () => {
    const { stripe, control } = await startDouble();
    const endpoint = { url: 'http://127.0.0.1:9/hook', enabled_events: ['customer.deleted'] };
    const wanted = { ...endpoint, enabled_events: ['customer.deleted' as const] };
    const created = await stripe.webhookEndpoints.create(wanted);
    expect(created.secret).toMatch(/^whsec_/);
    expect(await stripe.webhookEndpoints.retrieve(created.id)).not.toHaveProperty('secret');
    const receiver = await startReceiver(created.secret ?? '');
    await stripe.webhookEndpoints.update(created.id, { url: receiver.url });
    const { id } = await stripe.customers.create({});
    await stripe.customers.del(id);
    await control.wait({ deliveries: 1 });
    expect(receiver.received.map(receiver.verified)).toMatchObject([{ type: 'customer.deleted' }]);
    const elsewhere = stripe.webhookEndpoints.create({
      ...wanted,
      url: 'https://example.com/hook',
    });
    expect(await failureOf(elsewhere)).toMatchObject({ statusCode: 400, param: 'url' });
  });

  test('are tried again until they are taken, or given up, and each attempt is kept', async () => {
    const { stripe, control } = await startDelivering({
      answer: ({ body }, count) => (body.includes('"never"') ? 500 : count < 3 ? 503 : 204),
    });
    await stripe.customers.create({ name: 'later' });
    await control.wait({ deliveries: 1 });
    const [taken] = await control.deliveries();
    expect(taken?.attempts.map(({ status }) => status)).toEqual([503, 503, 204]);
    await control.configureWebhooks({ maxAttempts: 2 });
    await stripe.customers.create({ name: 'never' });
    await control.wait({ deliveryAttempts: 5, pendingDeliveriesAtMost: 0 });
    const [failed] = await control.deliveries({ state: 'failed' });
    expect(failed?.attempts).toHaveLength(2);
    const listed = async (success: boolean) => {
      const { data } = await stripe.events.list({ delivery_success: success });
      return data.map(({ data: { object }, pending_webhooks: pending }) => [
        (object as Stripe.Customer).name,
        pending,
      ]);
    };
    expect([await listed(true), await listed(false)]).toEqual([[['later', 0]], [['never', 1]]]);
  });

  test('redirects and silence are no success', async () => {
    const { stripe, control } = await startDelivering({
      answer: async (_one, count) => (count === 1 ? 307 : await new Promise<number>(() => {})),
    });
    await control.configureWebhooks({ paused: true, maxAttempts: 2 });
    await stripe.customers.create({});
    await control.releaseWebhooks();
    await control.configureWebhooks({ timeoutMs: 50 });
    await control.releaseWebhooks();
    const [delivery] = await control.deliveries();
    expect(delivery?.state).toBe('failed');
    expect(delivery?.attempts.map(({ status }) => status)).toEqual([307, null]);
  });

  test('are held, released in an order, shuffled by a seed, copied and sent again', async () => {
    const { stripe, control, receiver } = await startDelivering();
    await control.configureWebhooks({ paused: true });
    for (const name of ['a', 'b', 'c', 'd', 'e']) await stripe.customers.create({ name });
    const events = (await control.stripeEvents()).map(({ id }) => id);
    const [first = '', second = '', third = ''] = events;
    await control.releaseWebhooks({ events: [third, first] });
    expect(receiver.received.map(({ id }) => id)).toEqual([third, first]);
    const attempts = await control.releaseWebhooks({ order: 'reversed' });
    const rest = [...events.slice(3).toReversed(), second];
    expect(attempts.map(({ event }) => event)).toEqual(rest);
    expect(receiver.received.slice(2).map(({ id }) => id)).toEqual(rest);
    await control.resendWebhook({ event: second, copies: 3 });
    await control.configureWebhooks({ paused: false, copies: 2 });
    await stripe.customers.create({ name: 'twice' });
    await control.wait({ deliveries: 10 });
    const ids = receiver.received.slice(5).map(({ id }) => id);
    expect([ids.filter((id) => id === second).length, new Set(ids).size]).toEqual([3, 2]);
  });

  test('shuffle the same way for the same seed', async () => {
    const orderOf = async (seed: number): Promise<string[]> => {
      const { stripe, control, receiver } = await startDelivering();
      await control.configureWebhooks({ paused: true });
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await stripe.customers.create({ name });
      await control.releaseWebhooks({ order: 'shuffled', seed });
      return receiver.received.map(
        (one) => (receiver.verified(one).data.object as Stripe.Customer).name ?? '',
      );
    };
    const [once, again, other] = [await orderOf(7), await orderOf(7), await orderOf(8)];
    expect(again).toEqual(once);
    expect(other).not.toEqual(once);
    expect(once.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  test('forged ones are what the SDK refuses', async () => {
    const { stripe, control, receiver } = await startDelivering();
    await stripe.customers.create({});
    await control.wait({ deliveries: 1 });
    const [event] = await control.stripeEvents();
    const kinds = ['bad_signature', 'no_signature', 'old_timestamp', 'changed_body'] as const;
    for (const kind of kinds) {
      const answer = await control.forgeWebhook({ kind, event: event?.id ?? '' });
      expect(answer.status).toBe(200);
    }
    for (const one of receiver.received.slice(1)) {
      expect(() => receiver.verified(one)).toThrow(Stripe.errors.StripeSignatureVerificationError);
    }
    // The SDK takes what is ahead of its time: receivers must refuse it themselves.
    await control.forgeWebhook({ kind: 'future_timestamp', event: event?.id ?? '' });
    const ahead = receiver.received.at(-1);
    if (ahead === undefined) throw new Error('nothing came');
    expect(receiver.verified(ahead).type).toBe('customer.created');
    expect(await control.deliveries()).toHaveLength(1);
  });
});

describe('events', () => {
  test('are listed by type and time, and paged', async () => {
    const { stripe, control } = await startDouble();
    await control.setClock('2026-11-03T00:00:00Z');
    const { id } = await stripe.customers.create({});
    await control.advanceClock(10_000);
    for (const name of ['a', 'b', 'c']) await stripe.customers.update(id, { name });
    const since = Date.UTC(2026, 10, 3) / 1000;
    const types = ['customer.updated'];
    const seen: string[] = [];
    for await (const event of stripe.events.list({ types, limit: 2 })) seen.push(event.type);
    expect(seen).toEqual(Array.from({ length: 3 }, () => 'customer.updated'));
    const old = await stripe.events.list({ created: { gte: since, lt: since + 10 } });
    expect(old.data.map(({ type }) => type)).toEqual(['customer.created']);
    expect((await stripe.events.list({ created: { gt: since + 10 } })).data).toEqual([]);
    const [one] = old.data;
    expect(await stripe.events.retrieve(one?.id ?? '')).toMatchObject({ id: one?.id });
    const none = stripe.events.retrieve('evt_none');
    expect(await failureOf(none)).toMatchObject({ statusCode: 404, code: 'resource_missing' });
  });

  test('thin ones carry no data until they are fetched', async () => {
    const { stripe, control, receiver } = await startDelivering();
    const meter = await stripe.billing.meters.create({
      display_name: 'Files',
      event_name: 'file_processed',
      default_aggregation: { formula: 'sum' },
    });
    const { id } = await control.reportMeterErrors({
      meter: meter.id,
      errors: [
        { identifier: 'p-1', code: 'meter_event_customer_not_found' },
        { identifier: 'p-2', code: 'meter_event_customer_not_found' },
        { identifier: 'p-3', code: 'timestamp_too_far_in_past', message: 'Too old.' },
      ],
    });
    await control.reportMeterErrors({ errors: [{ identifier: 'p-4', code: 'no_meter' }] });
    await control.wait({ deliveries: 2 });
    const [first] = receiver.received.filter((one) => one.id === id);
    if (first === undefined) throw new Error('nothing came');
    expect(JSON.parse(first.body)).not.toHaveProperty('data');
    const notification = stripe.parseEventNotification(first.body, first.signature, secret);
    if (notification.type !== 'v1.billing.meter.error_report_triggered') throw new Error('type');
    expect((await notification.fetchRelatedObject()).id).toBe(meter.id);
    const event = await notification.fetchEvent();
    expect(event.data.reason.error_count).toBe(3);
    const identifiers = event.data.reason.error_types.map(({ code, sample_errors: samples }) => [
      code,
      samples.map(({ request }) => request.identifier),
    ]);
    expect(identifiers).toEqual([
      ['meter_event_customer_not_found', ['p-1', 'p-2']],
      ['timestamp_too_far_in_past', ['p-3']],
    ]);
    const types = ['v1.billing.meter.no_meter_found'];
    const { data } = await stripe.v2.core.events.list({ types });
    expect(data).toMatchObject([{ type: types[0], data: { reason: { error_count: 1 } } }]);
    await expect(stripe.v2.core.events.retrieve('evt_none')).rejects.toThrow('not found');
  });
});
