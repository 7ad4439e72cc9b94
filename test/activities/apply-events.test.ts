/** Events of one line on real tables and the double: what they leave, and what is left when we die. */
import { gzipSync } from 'node:zlib';
import type Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { applyEvents } from '../../activities/apply-events.ts';
import type { ApplyOutcome } from '../../activities/apply-events.ts';
import type { Dependencies } from '../../activities/dependencies.ts';
import { createWebhookActivities } from '../../activities/webhooks.ts';
import { deadLetterId } from '../../domain/ids.ts';
import { effectOf, readEvent } from '../../domain/stripe-events.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

let services: Services;
let deps: Dependencies;
let price: string;
beforeAll(async () => {
  services = await startServices();
  deps = createTestDependencies(services).deps;
  await services.control.configureWebhooks({ paused: true });
  const { id: product } = await services.stripe.products.create({ name: 'A month' });
  const recurring = { interval: 'month' as const };
  const wanted = { product, currency: 'usd', unit_amount: 500, recurring };
  price = (await services.stripe.prices.create(wanted)).id;
});
afterAll(async () => {
  await services.stop();
});

interface Subscribed {
  customer: string;
  subscription: string;
  /** In the inbox; the oldest first. */
  events: Stripe.Event[];
}

/** A customer who has paid a checkout, and changed their mind. */
async function subscribe(customer: string): Promise<Subscribed> {
  const { stripe, control } = services;
  await control.createCustomer({ id: customer });
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    customer,
    line_items: [{ price, quantity: 1 }],
    success_url: 'http://127.0.0.1/done',
  });
  const { subscription } = await control.payCheckout(session.id);
  await stripe.subscriptions.update(subscription ?? '', { cancel_at_period_end: true });
  const { data } = await stripe.events.list({ limit: 100 });
  const events = data
    .filter(({ type }) => effectOf(type) !== 'ignored')
    .filter((event) => JSON.stringify(event.data.object).includes(`"${customer}"`))
    .toReversed();
  for (const event of events) await receive(event);
  return { customer, subscription: subscription ?? '', events };
}

async function receive(event: object): Promise<string> {
  const facts = readEvent(event);
  if (facts === undefined) throw new Error('it is no event');
  await services.webhookEvents.put(facts, 'received', gzipSync(JSON.stringify(event)));
  return facts.eventId;
}

const apply = async (eventIds: readonly string[], changes: Partial<Dependencies> = {}) =>
  await applyEvents({ ...deps, ...changes }, { eventIds }, new AbortController().signal);

/** As the workflow does it: the rest again, until nothing is left. */
async function applyAll(eventIds: readonly string[]): Promise<void> {
  let left = eventIds;
  while (left.length > 0) {
    const { applied, failure } = await apply(left);
    expect(failure).toBeUndefined();
    left = left.slice(applied);
  }
}

const idsOf = (events: readonly { id: string }[]) => events.map(({ id }) => id);
const kindOf = (events: readonly Stripe.Event[], effect: string) =>
  events.filter(({ type }) => effectOf(type) === effect);
const letterOf = async (eventId: string) =>
  await services.deadLetters.get(deadLetterId('webhook-event', eventId));
const statuses = async (ids: readonly string[]) =>
  await Promise.all(ids.map(async (id) => (await services.webhookEvents.get(id))?.status));

/** All that is stored of a customer, without ids and times. */
async function stateOf({ customer, subscription, events }: Subscribed) {
  const row = await services.subscriptions.get(subscription);
  const payments = await services.payments.ofCustomer(customer, 10);
  const letters = await Promise.all(idsOf(events).map(async (id) => await letterOf(id)));
  return {
    standing: (await services.customers.get(customer))?.billingStatus,
    subscription: [row?.status, row?.cancelAtPeriodEnd],
    changes: Object.values(row?.history ?? {})
      .flatMap(({ changes }) => changes.map(({ kind }) => kind))
      .toSorted(),
    payments: payments.map(({ status, amount, history }) => [
      status,
      amount,
      Object.keys(history)
        .map((fact) => fact.replace(/ch_.*/, ''))
        .toSorted(),
    ]),
    inbox: await statuses(idsOf(events)),
    letters: letters.map((letter) => letter?.status),
  };
}

async function layAside(eventId: string): Promise<{ dead: boolean }> {
  const { layAsideEvent } = createWebhookActivities(deps);
  return await layAsideEvent({ eventId, error: 'no luck', tries: 3 });
}

test('WH3 what the inbox has as applied is not applied again: no question to Stripe, nothing written', async () => {
  const subscribed = await subscribe('cus_again');
  const ids = idsOf(subscribed.events);
  await applyAll(ids);
  const row = async () => await services.subscriptions.get(subscribed.subscription);
  const state = async () => [await stateOf(subscribed), (await row())?.revision];
  const before = await state();
  // Without a key a question would be a failure.
  expect(await apply(ids, { stripe: undefined })).toEqual({ applied: ids.length });
  expect(await state()).toEqual(before);
});

describe('WH4 one task', () => {
  test('WH3 WH4 asks Stripe once for what many events name, and leaves what each of them tells', async () => {
    const subscribed = await subscribe('cus_group');
    const { subscription, events } = subscribed;
    const [told] = kindOf(events, 'subscription');
    const more = Array.from({ length: 5 }, (_, index) => ({ ...told, id: `evt_more${index}x` }));
    for (const event of more) await receive(event);
    const asked = vi.spyOn(services.stripe.subscriptions, 'retrieve');
    onTestFinished(() => {
      asked.mockRestore();
    });
    await applyAll([...idsOf(kindOf(events, 'subscription')), ...idsOf(more)]);
    expect(asked).toHaveBeenCalledTimes(1);
    expect(await statuses(idsOf(more))).toEqual(more.map(() => 'applied'));
    const row = await services.subscriptions.get(subscription);
    for (const id of idsOf(more)) expect(row?.history[id]?.changes).toEqual([{ kind: 'created' }]);
    expect((await stateOf(subscribed)).standing).toBe('active');
  });

  test('WH3 an event that tells of no change adds nothing to the history', async () => {
    const { subscription, events } = await subscribe('cus_nochange');
    const update = events.find(({ type }) => type === 'customer.subscription.updated');
    const data = { ...update?.data, previous_attributes: { latest_invoice: 'in_other' } };
    const id = await receive({ ...update, id: 'evt_nochange', data });
    await applyAll([...idsOf(events), id]);
    const { history = {} } = (await services.subscriptions.get(subscription)) ?? {};
    const entries = Object.values(history).map(({ changes }) => changes.length);
    expect(entries.filter((changes) => changes === 0)).toEqual([]);
    expect(history).not.toHaveProperty(id);
    expect(await statuses([id])).toEqual(['applied']);
  });

  test.each([
    ['updated', []],
    ['deleted', ['cancelled']],
    ['paused', ['paused']],
    ['resumed', ['resumed']],
  ])('WH4 %s, too large to be kept: its type is all that it tells', async (type, kinds) => {
    const { subscription, events } = await subscribe(`cus_large_${type}`);
    await applyAll(idsOf(events));
    const [told] = kindOf(events, 'subscription');
    const id = `evt_large_${type}`;
    const facts = readEvent({ ...told, id, type: `customer.subscription.${type}` });
    if (facts === undefined) throw new Error('it is no event');
    await services.webhookEvents.put(facts, 'received', undefined);
    await applyAll([id]);
    const { history = {} } = (await services.subscriptions.get(subscription)) ?? {};
    expect((history[id]?.changes ?? []).map(({ kind }) => kind)).toEqual(kinds);
    expect(await statuses([id])).toEqual(['applied']);
  });

  test('ends before it asks Stripe too often; the rest is another task’s', async () => {
    const { stripe, control } = services;
    const ids: string[] = [];
    const [meter] = (await stripe.billing.meters.list({ status: 'active' })).data;
    const { id: product } = await stripe.products.create({ name: 'Bytes' });
    const metered = await stripe.prices.create({
      product,
      currency: 'usd',
      unit_amount: 1,
      recurring: { interval: 'month', usage_type: 'metered', meter: meter?.id ?? '' },
    });
    await control.createCustomer({ id: 'cus_many' });
    for (let index = 0; index < 10; index += 1) {
      const made = await stripe.subscriptions.create({
        customer: 'cus_many',
        items: [{ price: metered.id }],
      });
      const event = { id: `evt_many${index}x`, object: 'event', livemode: false, created: 1 };
      const type = 'customer.subscription.created';
      ids.push(await receive({ ...event, type, data: { object: made } }));
    }
    expect(await apply(ids)).toEqual({ applied: 8 });
    expect(await statuses(ids)).toEqual([
      ...ids.slice(0, 8).map(() => 'applied'),
      ...ids.slice(8).map(() => 'received'),
    ]);
    expect(await apply(ids.slice(8))).toEqual({ applied: 2 });
  });

  test('WH6 ends at the first that fails, with Stripe’s reason and patience', async () => {
    const { subscription, events } = await subscribe('cus_limited');
    const path = `/v1/subscriptions/${subscription}`;
    const others = idsOf(kindOf(events, 'payment-intent'));
    const [told = ''] = idsOf(kindOf(events, 'subscription'));
    await services.control.fault({ kind: 'status', path, status: 429, retryAfter: 7, times: 1 });
    const outcome = await apply([...others, told]);
    expect(outcome).toMatchObject({
      applied: others.length,
      failure: { fault: 'outside', final: false, retryAfterMs: 7000 },
    });
    expect(outcome.failure?.error).toContain('429');
    expect(await statuses([...others, told])).toEqual([...others.map(() => 'applied'), 'received']);
    expect(await apply([told])).toEqual({ applied: 1 });
  });

  test('WH6 an event that is not in the inbox can never be applied', async () => {
    const error = 'no event evt_never in the inbox';
    expect(await apply(['evt_never'])).toEqual({
      applied: 0,
      failure: { error, fault: 'event', final: true },
    });
  });

  test('WH6 without a Stripe key nothing is applied, and nothing is lost', async () => {
    const { events } = await subscribe('cus_nokey');
    const outcome = await apply(idsOf(events), { stripe: undefined });
    const error = 'billing is off: no Stripe key';
    const failure = { error, fault: 'key', final: false };
    expect(outcome).toEqual({ applied: 0, failure });
    expect(new Set(await statuses(idsOf(events)))).toEqual(new Set(['received']));
  });

  test('one that Temporal has given to another worker stops', async () => {
    const { events } = await subscribe('cus_given');
    const order = { eventIds: idsOf(events) };
    await expect(applyEvents(deps, order, AbortSignal.abort(new Error('gone')))).rejects.toThrow(
      'gone',
    );
    expect(new Set(await statuses(idsOf(events)))).toEqual(new Set(['received']));
  });
});

const stores = [
  'webhookEvents',
  'deadLetters',
  'subscriptions',
  'payments',
  'invoices',
  'customers',
] as const;

/** The tables, until their call with this number has taken effect: then we are dead. */
function dyingAfter(calls: number): { changes: Partial<Dependencies>; made: () => number } {
  let made = 0;
  const watch = <Store extends object>(store: Store): Store =>
    new Proxy(store, {
      get: (target, name, receiver) => {
        const value: unknown = Reflect.get(target, name, receiver);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          made += 1;
          if (made > calls) throw new Error('dead already');
          const isLast = made === calls;
          const answer: unknown = await Reflect.apply(value, target, args);
          if (isLast) throw new Error('died');
          return answer;
        };
      },
    });
  const changes = Object.fromEntries(stores.map((name) => [name, watch(deps[name])]));
  return { changes, made: () => made };
}

describe('I6 we die after any call to the tables', () => {
  const ofEachKind = new Set([
    'checkout.session.completed',
    'customer.subscription.created',
    'customer.subscription.updated',
    'invoice.paid',
    'payment_intent.succeeded',
  ]);
  /** Of one: checkout, invoice, subscription and payment intent; the first was redriven. */
  async function redriven(customer: string): Promise<Subscribed> {
    const subscribed = await subscribe(customer);
    const events = subscribed.events.filter(({ type }) => ofEachKind.has(type));
    await layAside(idsOf(events)[0] ?? '');
    return { ...subscribed, events };
  }

  test('WH3 WH7 the next try leaves what an undisturbed one leaves, and no letter open', async () => {
    const undisturbed = await redriven('cus_alive');
    await applyAll(idsOf(undisturbed.events));
    const expected = await stateOf(undisturbed);
    expect(expected).toMatchObject({
      standing: 'active',
      subscription: ['active', true],
      inbox: undisturbed.events.map(() => 'applied'),
      letters: ['redriven', ...undisturbed.events.slice(1).map(() => undefined)],
    });
    let outcome: ApplyOutcome = { applied: 0 };
    let deaths = 0;
    for (let calls = 1; ; calls += 1) {
      const disturbed = await redriven(`cus_dead${calls}x`);
      const eventIds = idsOf(disturbed.events);
      const dying = dyingAfter(calls);
      outcome = await apply(eventIds, dying.changes);
      if (dying.made() < calls) break;
      deaths += 1;
      // The other of two calls at once may have been the one that noticed.
      expect(['died', 'dead already']).toContain(outcome.failure?.error);
      // The task's answer is lost with us: all of them come again.
      await applyAll(eventIds);
      expect([calls, await stateOf(disturbed)]).toEqual([calls, expected]);
    }
    expect(outcome.failure).toBeUndefined();
    expect(deaths).toBeGreaterThan(4 * 4);
  }, 240_000);
});

describe('WH6 WH7 laying aside', () => {
  test('WH6 the letter is open, the event dead; a redrive applies it and closes the letter', async () => {
    const { events } = await subscribe('cus_aside');
    const [id = ''] = idsOf(events);
    expect(await layAside(id)).toEqual({ dead: true });
    expect([await statuses([id]), await letterOf(id)]).toMatchObject([
      ['dead'],
      { status: 'open', attempts: 3, error: 'no luck' },
    ]);
    await applyAll([id]);
    expect([await statuses([id]), await letterOf(id)]).toMatchObject([
      ['applied'],
      { status: 'redriven' },
    ]);
  });

  test('WH6 an event that was applied meanwhile stays applied, and its letter is closed', async () => {
    const { events } = await subscribe('cus_meanwhile');
    const [id = ''] = idsOf(events);
    await applyAll([id]);
    expect(await layAside(id)).toEqual({ dead: false });
    expect([await statuses([id]), (await letterOf(id))?.status]).toEqual([['applied'], 'redriven']);
  });

  test('WH6 laid aside while a try that was believed lost goes on: applied, and no letter open', async () => {
    const { events } = await subscribe('cus_believed');
    const [id = ''] = idsOf(events);
    const { settle } = deps.webhookEvents;
    const slow: Dependencies['webhookEvents'] = {
      ...deps.webhookEvents,
      settle: async (...order) => {
        await layAside(id);
        return await settle(...order);
      },
    };
    expect(await apply([id], { webhookEvents: slow })).toEqual({ applied: 1 });
    expect([await statuses([id]), (await letterOf(id))?.status]).toEqual([['applied'], 'redriven']);
  });

  test('WH6 an event that the inbox does not have has a letter all the same', async () => {
    expect(await layAside('evt_nowhere')).toEqual({ dead: true });
    expect(await letterOf('evt_nowhere')).toMatchObject({ status: 'open', customerId: 'none' });
  });
});
