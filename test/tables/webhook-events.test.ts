import { gunzipSync, gzipSync } from 'node:zlib';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import type { StripeEventFacts } from '../../domain/stripe-events.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import type { TableStore } from '../../tables/dynamo.ts';
import { createWebhookEvents } from '../../tables/webhook-events.ts';
import type { InboxEvent, WebhookEvents } from '../../tables/webhook-events.ts';
import { at, atOnce, collect, rawRows, useDynamodb } from './support.ts';

const database = useDynamodb();
const inboxAt = (store: TableStore, now: string) =>
  createWebhookEvents(createTableStore(database.client(), store.prefix, () => new Date(now)));
async function inbox() {
  const store = await database.newStore();
  return { store, events: inboxAt(store, at(0)) };
}

const facts = (eventId: string, more: Partial<StripeEventFacts> = {}): StripeEventFacts => ({
  eventId,
  type: 'invoice.paid',
  createdAt: at(-5),
  livemode: false,
  thin: false,
  ...more,
});
const noEvent: Partial<InboxEvent> = {};
const ninetyDays = 90 * 86_400;
const nowSeconds = Date.parse(at(0)) / 1000;

describe('I5 WH3 the inbox', () => {
  test('I5 an event is kept as it came, with all that is known of it', async () => {
    const { events } = await inbox();
    const whole = facts('evt_1', { objectId: 'in_1', customerId: 'cus_1' });
    const body = JSON.stringify({ id: 'evt_1', name: 'Aoi 商店' });
    expect(await events.put(whole, 'received', gzipSync(body))).toBe(true);
    const { payload, waitingShard, ...row } = (await events.get('evt_1')) ?? noEvent;
    expect(row).toStrictEqual({
      ...whole,
      status: 'received',
      receivedAt: at(0),
      tellAt: at(30),
    });
    expect(waitingShard).toBeTypeOf('number');
    expect(gunzipSync(payload ?? Buffer.alloc(0)).toString('utf8')).toBe(body);
    expect(await events.get('evt_10')).toBeUndefined();
  });

  test('I5 without content, object and customer', async () => {
    const { events } = await inbox();
    await events.put(facts('evt_1'), 'ignored', undefined);
    expect(await events.get('evt_1')).toStrictEqual({
      ...facts('evt_1'),
      status: 'ignored',
      receivedAt: at(0),
      ttl: nowSeconds + ninetyDays,
    });
  });

  test('I5 many are read together: large ones in several answers, without those that are not there', async () => {
    const { events } = await inbox();
    const content = (index: number) => Buffer.alloc(1000 + index, index);
    const ids = Array.from({ length: 45 }, (_, index) => `evt_${index}`);
    await Promise.all(
      ids.map(async (id, index) => await events.put(facts(id), 'received', content(index))),
    );
    const found = await events.getAll([...ids, 'evt_none', 'evt_0']);
    expect([...found.keys()].toSorted()).toEqual(ids.toSorted());
    for (const [index, id] of ids.entries()) {
      expect(found.get(id)).toStrictEqual(await events.get(id));
      expect(Buffer.from(found.get(id)?.payload ?? [])).toEqual(content(index));
    }
    expect(await events.getAll([])).toEqual(new Map());
  });

  test('WH3 twenty at once are one, and the first stays', async () => {
    const { store, events } = await inbox();
    const put = await atOnce(
      20,
      async (n) => await events.put(facts('evt_1', { objectId: `in_${n}` }), 'received', undefined),
    );
    expect(put.filter(Boolean)).toStrictEqual([true]);
    const winner = put.indexOf(true);
    expect(await rawRows(store, 'webhook-events')).toMatchObject([{ objectId: `in_${winner}` }]);
  });

  test('WH3 an event that was applied is not received again', async () => {
    const { events } = await inbox();
    await events.put(facts('evt_1'), 'received', undefined);
    await events.settle('evt_1', 'applied');
    expect(await events.put(facts('evt_1'), 'received', undefined)).toBe(false);
    expect(await events.get('evt_1')).toMatchObject({ status: 'applied', settledAt: at(0) });
  });
});

describe('WH6 WH7 settling', () => {
  test('WH6 received → dead, with the reason', async () => {
    const { events } = await inbox();
    await events.put(facts('evt_1'), 'received', undefined);
    expect(await events.settle('evt_1', 'dead', 'Stripe is away')).toBe('received');
    expect(await events.get('evt_1')).toMatchObject({
      status: 'dead',
      error: 'Stripe is away',
      settledAt: at(0),
    });
  });

  test('WH7 dead → applied leaves no reason; dead again tells the new one', async () => {
    const { store, events } = await inbox();
    await events.put(facts('evt_1'), 'received', undefined);
    await events.settle('evt_1', 'dead', 'first');
    await inboxAt(store, at(60)).settle('evt_1', 'dead', 'second');
    expect(await events.get('evt_1')).toMatchObject({ error: 'second', settledAt: at(60) });
    expect(await inboxAt(store, at(90)).settle('evt_1', 'applied')).toBe('dead');
    const row = await events.get('evt_1');
    expect(row).toMatchObject({ status: 'applied', settledAt: at(90) });
    expect(row).not.toHaveProperty('error');
  });

  test.each(['dead', 'applied'] as const)('WH3 applied stays applied: %s later', async (status) => {
    const { store, events } = await inbox();
    await events.put(facts('evt_1'), 'received', undefined);
    await events.settle('evt_1', 'applied');
    expect(await inboxAt(store, at(60)).settle('evt_1', status, 'late')).toBeUndefined();
    const row = await events.get('evt_1');
    expect(row).toMatchObject({ status: 'applied', settledAt: at(0) });
    expect(row).not.toHaveProperty('error');
  });

  test('WH3 settled twenty times at once: applied holds once and for good', async () => {
    const { events } = await inbox();
    await events.put(facts('evt_1'), 'received', undefined);
    const held = await atOnce(20, async (n) => ({
      to: n % 2 === 0 ? 'applied' : 'dead',
      held: await events.settle('evt_1', n % 2 === 0 ? 'applied' : 'dead', 'x'),
    }));
    expect(held.filter((one) => one.to === 'applied' && one.held !== undefined)).toHaveLength(1);
    expect((await events.get('evt_1'))?.status).toBe('applied');
  });

  test('an event that never came is not made', async () => {
    const { store, events } = await inbox();
    expect(await events.settle('evt_1', 'applied')).toBeUndefined();
    expect(await rawRows(store, 'webhook-events')).toEqual([]);
  });
});

describe('reading', () => {
  test.each(['applied', 'ignored'] as const)(
    'WH2 ninety days after it was %s it is as good as gone, to the second; not a day before',
    async (status) => {
      const { store, events } = await inbox();
      await events.put(facts('evt_1'), 'received', undefined);
      const year = 365 * 86_400;
      expect(await inboxAt(store, at(year)).get('evt_1')).toMatchObject({ status: 'received' });
      await inboxAt(store, at(year)).settle('evt_1', status);
      const seen = async (seconds: number) => await inboxAt(store, at(seconds)).get('evt_1');
      expect(await seen(year + ninetyDays - 1)).toMatchObject({ eventId: 'evt_1' });
      expect(await seen(year + ninetyDays)).toBeUndefined();
    },
  );

  test('WH2 a dead one waits for a person, however long', async () => {
    const { store, events } = await inbox();
    await events.put(facts('evt_1'), 'received', undefined);
    await events.settle('evt_1', 'dead', 'no luck');
    const late = await inboxAt(store, at(10 * ninetyDays)).get('evt_1');
    expect(late).toMatchObject({ status: 'dead' });
    expect(late).not.toHaveProperty('ttl');
  });

  test('a row that is no event is an error, not an event', async () => {
    const { store, events } = await inbox();
    const TableName = `${store.prefix}webhook-events`;
    const Item = { ...facts('evt_1'), status: 'lost', receivedAt: at(0), ttl: 9e9 };
    await store.db.send(new PutCommand({ TableName, Item }));
    await expect(events.get('evt_1')).rejects.toThrow('status');
  });
});

describe('WH2 what waits', () => {
  const waiting = async (events: WebhookEvents, until?: string) =>
    (await collect(events.waiting(until === undefined ? undefined : new Date(until))))
      .map(({ eventId }) => eventId)
      .toSorted();

  test('WH2 received for 30 s and not settled: found by the index, over all pages and shards', async () => {
    const { events } = await inbox();
    const ids = Array.from({ length: 230 }, (_, n) => `evt_${n}`).toSorted();
    await atOnce(230, async (n) => await events.put(facts(`evt_${n}`), 'received', undefined));
    await events.put(facts('evt_other'), 'ignored', undefined);
    expect(await waiting(events, at(29))).toEqual([]);
    expect(await waiting(events, at(30))).toEqual(ids);
    expect(await waiting(events)).toEqual(ids);
  });

  test.each(['applied', 'dead', 'ignored'] as const)(
    'WH2 once %s it waits no more',
    async (status) => {
      const { events } = await inbox();
      await events.put(facts('evt_1'), 'received', undefined);
      await events.settle('evt_1', status);
      expect(await waiting(events)).toEqual([]);
      expect(await events.noteTold('evt_1', new Date(at(60)))).toBe(false);
      expect(await waiting(events)).toEqual([]);
    },
  );

  test('WH2 told again: it waits until that time, with all that its line needs', async () => {
    const { events } = await inbox();
    const whole = facts('evt_1', { objectId: 'in_1', customerId: 'cus_1' });
    await events.put(whole, 'received', undefined);
    expect(await events.noteTold('evt_1', new Date(at(330)))).toBe(true);
    expect(await waiting(events, at(329))).toEqual([]);
    expect(await collect(events.waiting(new Date(at(330))))).toEqual([
      {
        eventId: 'evt_1',
        type: whole.type,
        objectId: 'in_1',
        customerId: 'cus_1',
        receivedAt: at(0),
      },
    ]);
  });
});
