/** The command line against real servers, with a worker in this process. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deadLetterId, workflowIds } from '../../domain/ids.ts';
import { readEvent } from '../../domain/stripe-events.ts';
import { createStripe } from '../../platform/stripe.ts';
import { parseConfig } from '../../platform/config.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startTestTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';
import { durabill } from './support.ts';
import { newLetter } from '../support/dead-letters.ts';

let services: Services;
let temporal: BareTemporal;
let stripe: Server;
let env: Record<string, string>;
/** What Stripe was asked, and what it could not deliver. */
const asked: URL[] = [];
let undelivered: Record<string, unknown>[] = [];

beforeAll(async () => {
  stripe = createServer((req, res) => {
    const url = new URL(req.url ?? '/', 'http://127.0.0.1');
    res.setHeader('content-type', 'application/json');
    if (url.pathname.startsWith('/v2/')) {
      res.end(JSON.stringify({ data: [], next_page_url: null, previous_page_url: null }));
      return;
    }
    asked.push(url);
    res.end(JSON.stringify({ object: 'list', data: undelivered, has_more: false }));
  });
  await new Promise<void>((resolve) => stripe.listen(0, '127.0.0.1', resolve));
  const address = stripe.address();
  if (address === null || typeof address === 'string') throw new Error('it has no port');
  services = await startServices();
  const STRIPE_API_BASE = `http://127.0.0.1:${address.port}`;
  const client = createStripe(parseConfig({ ...services.env, STRIPE_API_BASE }));
  temporal = await startTestTemporal(services, { stripe: client });
  const TEMPORAL_ADDRESS = temporal.server.address;
  env = { ...services.env, TEMPORAL_ADDRESS, TASK_QUEUE: taskQueue, NO_COLOR: '1' };
});
afterAll(async () => {
  await temporal.stop();
  await services.stop();
  await new Promise((resolve) => stripe.close(resolve));
});

async function run(...args: string[]) {
  const { code, stdout, stderr } = await durabill([...args, '--json'], env);
  return { code, stderr, json: JSON.parse(stdout) as unknown };
}

const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;

/** Its type changes nothing, so that it is applied without a word with Stripe. */
function eventOf(id: string, customer: string, type = 'charge.updated') {
  const object = { id: customer, object: 'customer', name: 'Aoi \u009b\u202e商店' };
  return {
    id,
    object: 'event',
    type,
    created: secondsAgo(60),
    livemode: false,
    data: { object },
  };
}

async function receive(event: Record<string, unknown>): Promise<void> {
  const facts = readEvent(event);
  if (facts === undefined) throw new Error('it is no event');
  await services.webhookEvents.put(facts, 'received', gzipSync(JSON.stringify(event)));
}

async function layAside(eventId: string, customerId: string): Promise<string> {
  await receive(eventOf(eventId, customerId));
  const letter = newLetter('webhook-event', eventId, { customerId, error: 'no luck', attempts: 3 });
  await services.deadLetters.open(letter, new Date().toISOString());
  await services.webhookEvents.settle(eventId, 'dead', 'no luck');
  return letter.id;
}

test('WH8 an event is shown with what became of it, and as it came', async () => {
  const event = eventOf('evt_show', 'cus_show');
  const id = await layAside('evt_show', 'cus_show');
  const shown = await run('webhooks', 'show', 'evt_show');
  expect(shown).toMatchObject({
    code: 0,
    json: {
      eventId: 'evt_show',
      type: 'charge.updated',
      effect: 'ignored',
      customerId: 'cus_show',
      objectId: 'cus_show',
      status: 'dead',
      error: 'no luck',
      deadLetter: { id, status: 'open' },
      payload: { id: 'evt_show', data: event.data },
    },
  });
  const text = await durabill(['webhooks', 'show', 'evt_show'], env);
  expect(text.code).toBe(0);
  expect(text.stdout).toContain(`next         durabill dead-letters redrive ${id}`);
  expect(text.stdout).not.toContain('商店');
  const whole = await durabill(['webhooks', 'show', 'evt_show', '--payload'], env);
  expect(whole.stdout).toContain(String.raw`"name": "Aoi \u009b\u202e商店"`);
  const none = await run('webhooks', 'show', 'evt_none');
  expect(none).toMatchObject({ code: 1, json: { error: 'not_found' } });
});

test('WH7 a dead event is redriven by its customer’s workflow, and its letter closed', async () => {
  const id = await layAside('evt_redrive', 'cus_redrive');
  const done = await run('dead-letters', 'redrive', id);
  expect(done).toMatchObject({
    code: 0,
    json: { id, eventId: 'evt_redrive', outcome: 'redriven', state: 'applied' },
  });
  expect((await services.deadLetters.get(id))?.status).toBe('redriven');
  const again = await run('dead-letters', 'redrive', id);
  expect(again).toMatchObject({ code: 0, json: { outcome: 'already-redriven' } });
  const others = await Promise.all(
    [1, 2].map(async (n) => await layAside(`evt_all_${n}`, 'cus_redrive')),
  );
  await services.deadLetters.close(
    deadLetterId('webhook-event', 'evt_show'),
    { status: 'discarded', reason: 'of another test' },
    new Date().toISOString(),
  );
  const all = await run('dead-letters', 'redrive', '--all', '--kind', 'webhook-event');
  expect(all).toMatchObject({ code: 0, json: { failures: [] } });
  // Both were laid aside at once: which of them is the older one is not said.
  const { redriven } = all.json as { redriven: { id: string; state: string }[] };
  expect(new Map(redriven.map(({ id: letter, state }) => [letter, state]))).toEqual(
    new Map(others.map((letter) => [letter, 'applied'])),
  );
});

test('WH2 a catch-up takes in what Stripe could not deliver, once', async () => {
  undelivered = [eventOf('evt_late', 'cus_late'), eventOf('evt_later', 'cus_late')];
  const since = new Date(Date.now() - 5 * 86_400_000).toISOString().slice(0, 10);
  const first = await run('webhooks', 'catch-up', '--since', since);
  expect(first).toMatchObject({
    code: 0,
    json: { workflowId: workflowIds.catchUpWebhooks(since), since, seen: 2, added: 2 },
  });
  const query = asked.find(({ pathname }) => pathname === '/v1/events')?.searchParams;
  expect(query?.get('delivery_success')).toBe('false');
  expect(Number(query?.get('created[gte]'))).toBe(Date.parse(since) / 1000);
  const second = await run('webhooks', 'catch-up');
  expect(second).toMatchObject({ code: 0, json: { since: null, seen: 2, added: 0 } });
  const shown = await run('webhooks', 'show', 'evt_late');
  expect(shown).toMatchObject({ code: 0, json: { status: 'ignored' } });
});

test.each([
  ['no day', '2026-02-30', 2],
  ['a day to come', '2199-01-01', 1],
])('a catch-up since %s is refused', async (_what, since, code) => {
  const refused = await run('webhooks', 'catch-up', '--since', since);
  expect(refused).toMatchObject({ code, json: { error: 'invalid_request' } });
});

test('a customer is shown with account, subscriptions, payments and events waiting', async () => {
  const at = (second: number) => `2026-11-21T10:00:0${second}.000Z`;
  const customerId = 'cus_account';
  await services.customers.add({
    customerId,
    plan: 'pro',
    billingStatus: 'past_due',
    createdAt: at(0),
  });
  await services.subscriptions.mirror(
    {
      subscriptionId: 'sub_1',
      customerId,
      status: 'past_due',
      prices: ['price_basic', 'price_pro'],
      cancelAtPeriodEnd: true,
      paused: false,
      stripeCreated: at(0),
      currentPeriodEnd: '2026-12-21T10:00:00.000Z',
    },
    0,
  );
  await services.subscriptions.addChanges('sub_1', 'evt_1', {
    at: at(2),
    changes: [{ kind: 'plan_changed', from: ['price_basic'], to: ['price_basic', 'price_pro'] }],
  });
  await services.payments.mirror(
    {
      paymentId: 'pi_1',
      customerId,
      status: 'failed',
      amount: 1_234_567,
      currency: 'jpy',
      stripeCreated: at(3),
      failureReason: 'card_declined',
    },
    0,
  );
  const shown = await run('customers', 'show', customerId);
  expect(shown).toMatchObject({
    code: 0,
    json: {
      customer: { billingStatus: 'past_due' },
      subscriptions: [{ subscriptionId: 'sub_1', status: 'past_due' }],
      payments: [{ paymentId: 'pi_1', amount: 1_234_567 }],
      webhookEventsWaiting: 0,
    },
  });
  const { stdout } = await durabill(['customers', 'show', customerId], env);
  for (const said of [
    /billing +past_due/,
    'Webhook events waiting: 0',
    /sub_1 +past_due +price_basic, price_pro +2026-12-21 10:00:00 +with its period/,
    /sub_1 +plan changed: price_basic → price_basic, price_pro/,
    /pi_1 +failed +¥1,234,567 +2026-11-21 10:00:03 +0 +card_declined/,
  ]) {
    expect(stdout).toMatch(said);
  }
  const away = await durabill(['customers', 'show', customerId], {
    ...env,
    TEMPORAL_ADDRESS: '127.0.0.1:1',
  });
  expect(away.code).toBe(0);
  expect(away.stdout).toContain('Webhook events waiting: not known');
  expect(away.stderr).toContain('Temporal');
});
