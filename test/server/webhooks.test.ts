import { gunzipSync } from 'node:zlib';
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../server/app.ts';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { noApi } from './api-support.ts';
import { noDeadLetters } from './dead-letters-support.ts';

const secrets = ['whsec_new', 'whsec_old'];
const eventBridgeSecret = 'eventbridge-secret-of-16';
let services: Services;
let number = 0;
/** Standing still: what is 300 s old stays so. */
const now = new Date();
const nowSeconds = Math.floor(now.getTime() / 1000);
beforeAll(async () => {
  services = await startServices();
});
afterAll(async () => {
  await services.stop();
});

interface Shape {
  id?: string;
  type?: string;
  livemode?: unknown;
  object?: string;
  customer?: string | null;
}

function stripeEvent(shape: Shape = {}): string {
  number += 1;
  const {
    id = `evt_${number}`,
    type = 'invoice.paid',
    livemode = false,
    customer = 'cus_1',
  } = shape;
  const data = { object: { id: `in_${number}`, object: 'invoice', customer } };
  const created = nowSeconds;
  return JSON.stringify({ id, object: shape.object ?? 'event', type, livemode, created, data });
}

function signed(payload: string, secret = 'whsec_new', ageSeconds = 0): string {
  const timestamp = nowSeconds - ageSeconds;
  return Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
}

function server(changes: { announce?: () => Promise<void>; now?: Date; account?: string } = {}) {
  const announced: [string, string][] = [];
  const metrics = createMetrics();
  const app = createApp({
    logger: createLogger('test', 'silent'),
    registry: metrics.registry,
    probes: {},
    deadLetters: noDeadLetters,
    ...noApi,
    webhooks: {
      stripeSecrets: secrets,
      eventBridgeSecret,
      now: () => changes.now ?? now,
      receiver: {
        webhookEvents: services.webhookEvents,
        announceEvent: async (line, eventId) => {
          await (changes.announce ?? (async () => await Promise.resolve()))();
          announced.push([line, eventId]);
        },
        metrics,
        livemode: false,
        account: changes.account,
      },
    },
  });
  const post = async (body: string | Uint8Array, header: string | undefined) =>
    await app.request('/webhooks/stripe', {
      method: 'POST',
      body,
      ...(header === undefined ? {} : { headers: { 'stripe-signature': header } }),
    });
  const counted = async (outcome: string): Promise<number> => {
    const { values } = await metrics.webhooks.get();
    return values
      .filter(({ labels }) => labels.outcome === outcome)
      .reduce((sum, v) => sum + v.value, 0);
  };
  return { app, post, announced, counted };
}

const parse = (text: string): unknown => JSON.parse(text);
const idOf = (body: string): string => (JSON.parse(body) as { id: string }).id;

describe('WH1 signatures on the raw bytes', () => {
  test.each(secrets)(
    'accepted under %s: in the inbox as it came, announced, 200',
    async (secret) => {
      const { post, announced } = server();
      const body = stripeEvent();
      const answer = await post(body, signed(body, secret));
      expect([answer.status, await answer.json()]).toEqual([200, { outcome: 'accepted' }]);
      const row = await services.webhookEvents.get(idOf(body));
      expect(row).toMatchObject({ status: 'received', type: 'invoice.paid', customerId: 'cus_1' });
      expect(JSON.parse(gunzipSync(row?.payload ?? '').toString())).toEqual(JSON.parse(body));
      expect(announced).toEqual([['cus_1', idOf(body)]]);
    },
  );

  /** A signature that held an hour ago, sent again with another header. */
  const replayed =
    (header: (old: string) => string) =>
    (body: string): [string, string] => [body, header(signed(body, 'whsec_new', 3600))];

  test.each<[string, (body: string) => [string, string | undefined]]>([
    ['missing', (body) => [body, undefined]],
    ['empty', (body) => [body, '']],
    ['nonsense', (body) => [body, 't=,v1=']],
    ['of another secret', (body) => [body, signed(body, 'whsec_forged')]],
    ['of other bytes', (body) => [`${body} `, signed(body)]],
    ['301 s old', (body) => [body, signed(body, 'whsec_new', 301)]],
    ['301 s ahead', (body) => [body, signed(body, 'whsec_new', -301)]],
    ['a stale one under a fresh time', replayed((old) => `t=${nowSeconds},${old}`)],
    ['a stale one with a fresh time after it', replayed((old) => `${old},t=${nowSeconds}`)],
    ['of a truncated body', (body) => [body.slice(0, -5), signed(body)]],
  ])('%s: 400, nothing stored, counted', async (_name, forge) => {
    const { post, announced, counted } = server();
    const body = stripeEvent();
    const answer = await post(...forge(body));
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({
      error: 'invalid_request',
      message: 'the signature is missing, wrong or stale',
    });
    expect(await services.webhookEvents.get(idOf(body))).toBeUndefined();
    expect(announced).toEqual([]);
    expect(await counted('bad_signature')).toBe(1);
  });

  test.each([300, -300])('a timestamp %i s away is taken', async (ageSeconds) => {
    const body = stripeEvent();
    expect((await server().post(body, signed(body, 'whsec_new', ageSeconds))).status).toBe(200);
  });

  test('time is told by our clock, not the machine’s', async () => {
    const body = stripeEvent();
    const aDay = 86_400;
    const yesterday = server({ now: new Date(now.getTime() - aDay * 1000) });
    expect((await yesterday.post(body, signed(body, 'whsec_new', aDay))).status).toBe(200);
    expect((await yesterday.post(body, signed(body))).status).toBe(400);
  });

  test('a body over 1 MiB: 413, announced or not', async () => {
    const { post } = server();
    const body = new Uint8Array(1024 * 1024 + 1);
    expect((await post(body, 't=1,v1=x')).status).toBe(413);
  });

  test.each([
    ['not JSON', 'signed nonsense'],
    ['an array', '[]'],
    ['no id', JSON.stringify({ object: 'event', type: 'x', livemode: false, created: 1 })],
    ['a hostile id', stripeEvent({ id: 'evt_../../x' })],
    ['livemode no boolean', stripeEvent({ livemode: 'false' })],
    ['another object', stripeEvent({ object: 'charge' })],
  ])('signed but %s: 400 and never a stack trace', async (_name, body) => {
    const answer = await server().post(body, signed(body));
    expect(answer.status).toBe(400);
    expect(Object.keys((await answer.json()) as object)).toEqual(['error', 'message']);
  });
});

describe('what becomes of a good one', () => {
  test('WH2 Temporal is down: 503; the event waits in the inbox and its repeat is announced', async () => {
    const body = stripeEvent();
    const down = server({
      announce: async () => await Promise.reject(new Error('14 UNAVAILABLE: secret detail')),
    });
    const answer = await down.post(body, signed(body));
    expect([answer.status, JSON.stringify(await answer.json()).includes('secret')]).toEqual([
      503,
      false,
    ]);
    const up = server();
    expect(await (await up.post(body, signed(body))).json()).toEqual({ outcome: 'duplicate' });
    expect(up.announced).toEqual([['cus_1', idOf(body)]]);
  });

  test('WH3 the same event twenty times at once: one row, one kind of signal', async () => {
    const { post, announced, counted } = server();
    const body = stripeEvent();
    const header = signed(body);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => await post(body, header)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(await counted('accepted')).toBe(1);
    expect(new Set(announced.map(([, eventId]) => eventId)).size).toBe(1);
  });

  test('WH3 once applied, a repeat is not announced', async () => {
    const { post, announced } = server();
    const body = stripeEvent();
    await post(body, signed(body));
    await services.webhookEvents.settle(idOf(body), 'applied');
    expect((await post(body, signed(body))).status).toBe(200);
    expect(announced).toHaveLength(1);
  });

  test('WH8 an unknown type: 200, counted, kept as ignored, nobody told', async () => {
    const { post, announced, counted } = server();
    const body = stripeEvent({ type: 'radar.early_fraud_warning.created' });
    expect(await (await post(body, signed(body))).json()).toEqual({ outcome: 'ignored' });
    expect((await services.webhookEvents.get(idOf(body)))?.status).toBe('ignored');
    expect(announced).toEqual([]);
    expect(await counted('ignored')).toBe(1);
  });

  test('WH8 one without a customer goes to the line of its object', async () => {
    const { post, announced } = server();
    const body = stripeEvent({ type: 'payment_intent.succeeded', customer: null });
    await post(body, signed(body));
    expect(announced.map(([line]) => line)).toEqual([`no-customer/payment-intent/in_${number}`]);
  });

  const otherAccount = 'acct_1other';
  const foreign = (snapshot: boolean, account = otherAccount) => {
    const body = stripeEvent({ type: 'customer.subscription.updated', customer: 'cus_notOurs' });
    const event = JSON.parse(body) as Record<string, unknown>;
    if (snapshot) return JSON.stringify({ ...event, account });
    const type = 'v1.billing.meter.error_report_triggered';
    const created = now.toISOString();
    return JSON.stringify({ ...event, object: 'v2.core.event', type, created, context: account });
  };

  test.each([
    ['snapshot', true],
    ['thin', false],
  ])(
    'WH12 case 15: 200 %s events of another account: ignored, no row, nobody told',
    async (_kind, snapshot) => {
      const { post, announced, counted } = server();
      const bodies = Array.from({ length: 200 }, () => foreign(snapshot));
      for (const body of bodies) {
        const answer = await post(body, signed(body));
        expect([answer.status, await answer.json()]).toEqual([200, { outcome: 'ignored' }]);
      }
      expect(await counted('other_account')).toBe(200);
      expect(announced).toEqual([]);
      const rows = await Promise.all(
        bodies.map(async (body) => await services.webhookEvents.get(idOf(body))),
      );
      expect(rows.filter((row) => row !== undefined)).toEqual([]);
    },
  );

  test('WH12 our own account, named: as any event; another beside it is ignored', async () => {
    const { post, announced } = server({ account: 'acct_1ours' });
    const [ours, theirs] = [foreign(true, 'acct_1ours'), foreign(true)];
    expect(await (await post(ours, signed(ours))).json()).toEqual({ outcome: 'accepted' });
    expect(await (await post(theirs, signed(theirs))).json()).toEqual({ outcome: 'ignored' });
    expect(announced).toEqual([['cus_notOurs', idOf(ours)]]);
  });

  test('a live event for a test key is refused and counted', async () => {
    const { post, counted } = server();
    const body = stripeEvent({ livemode: true });
    expect((await post(body, signed(body))).status).toBe(400);
    expect(await counted('wrong_mode')).toBe(1);
    expect(await services.webhookEvents.get(idOf(body))).toBeUndefined();
  });

  test('an event too large for an item is kept without its content', async () => {
    const { post } = server();
    const random = Array.from({ length: 60_000 }, () => Math.random().toString(36)).join('');
    const event = JSON.parse(stripeEvent()) as Record<string, unknown>;
    const body = JSON.stringify({ ...event, random });
    const answer = await post(body, signed(body));
    expect(answer.status).toBe(200);
    expect((await services.webhookEvents.get(idOf(body)))?.payload).toBeUndefined();
  });
});

describe('POST /webhooks/eventbridge', () => {
  const send = async (body: string, authorization?: string) => {
    const { app, announced } = server();
    const answer = await app.request('/webhooks/eventbridge', {
      method: 'POST',
      body,
      ...(authorization === undefined ? {} : { headers: { authorization } }),
    });
    return { answer, announced };
  };

  test('the envelope’s detail goes into the same inbox', async () => {
    const event = stripeEvent();
    const envelope = JSON.stringify({
      source: 'aws.partner/stripe.com',
      detail: parse(event),
    });
    const { answer, announced } = await send(envelope, `Bearer ${eventBridgeSecret}`);
    expect(answer.status).toBe(200);
    expect(announced).toEqual([['cus_1', idOf(event)]]);
  });

  test.each([undefined, 'Bearer wrong', `Bearer ${eventBridgeSecret}x`])(
    'with %s: 401, nothing stored',
    async (authorization) => {
      const event = stripeEvent();
      const { answer } = await send(JSON.stringify({ detail: parse(event) }), authorization);
      expect(answer.status).toBe(401);
      expect(await services.webhookEvents.get(idOf(event))).toBeUndefined();
    },
  );

  test.each(['{}', 'nonsense', '{"detail":null}'])('%s: 400', async (body) => {
    const { answer } = await send(body, `Bearer ${eventBridgeSecret}`);
    expect(answer.status).toBe(400);
  });
});
