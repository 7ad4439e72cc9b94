/** SB19: a row of the ledger or the inbox that is none is one customer's dead letter; all else goes on. */
import { gzipSync } from 'node:zlib';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyEvents } from '../../activities/apply-events.ts';
import { createActivities, createStripeActivities } from '../../activities/index.ts';
import { deadLetterId, deliveryShard } from '../../domain/ids.ts';
import { readEvent } from '../../domain/stripe-events.ts';
import { createDynamoDb } from '../../platform/dynamodb.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import type { TableStore } from '../../tables/dynamo.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

let services: Services;
let store: TableStore;
let close: () => void;
beforeAll(async () => {
  services = await startServices();
  const client = createDynamoDb(services.config);
  store = createTableStore(client, services.config.TABLE_PREFIX);
  close = () => {
    client.destroy();
  };
});
afterAll(async () => {
  close();
  await services.stop();
});

/** As an import or a hand would. */
async function write(
  table: string,
  Key: Record<string, string>,
  [field, value]: [string, unknown],
): Promise<void> {
  await store.db.send(
    new UpdateCommand({
      TableName: `${store.prefix}${table}`,
      Key,
      UpdateExpression: 'SET #field = :value',
      ExpressionAttributeNames: { '#field': field },
      ExpressionAttributeValues: { ':value': value },
    }),
  );
}

function worker() {
  const { deps, told } = createTestDependencies(services);
  return { ...createActivities(deps), ...createStripeActivities(deps), deps, told };
}

const meter = 'file_processed' as const;
const letterOf = async (kind: string, subject: string) =>
  await services.deadLetters.get(deadLetterId(kind, subject));

async function record(customerId: string, identifier: string): Promise<void> {
  const at = new Date().toISOString();
  const source = { kind: 'processing', id: identifier } as const;
  const usage = { identifier, customerId, meter, quantity: '10', occurredAt: at, source };
  await services.control.createCustomer({ id: customerId });
  await services.ledger.record(usage, at);
}

/** What a shard does with all that waits in it. */
async function deliverShard(shard: number): Promise<void> {
  const { listUndelivered, sendUsage } = worker();
  const { waiting } = await listUndelivered({ shard });
  for (const { identifier } of waiting) await sendUsage({ identifier });
}

test.each<[name: string, bad: [string, unknown], mended: unknown]>([
  ['its meter, which the index knows', ['meter', 'bytes'], meter],
  ['its quantity, which the row alone knows', ['quantity', '12.5'], '10'],
  ['its state', ['state', 'lost'], 'rejected'],
])(
  'SB19 DL12 wrong is %s: its letter, the others delivered; mended and redriven it is too',
  async (name, bad, mended) => {
    const [field] = bad;
    const customerId = `cus_bad_${field}`;
    const identifier = `bad-${field}`;
    const shard = deliveryShard(customerId, meter);
    await record(customerId, identifier);
    await write('usage-ledger', { identifier }, bad);
    await record(customerId, `${identifier}-good`);
    await deliverShard(shard);
    expect(name).not.toBe('');
    expect(await services.control.total(customerId, meter)).toBe('10');
    expect((await services.ledger.get(`${identifier}-good`))?.state).toBe('delivered');
    const letter = await letterOf('usage-rejected', identifier);
    expect(letter).toMatchObject({ status: 'open', customerId });
    expect(letter?.error).toContain(`the row usage-ledger/${identifier} cannot be read`);
    expect(await worker().listUndelivered({ shard })).toEqual({ waiting: [], more: false });

    await write('usage-ledger', { identifier }, [field, mended]);
    const row = await services.ledger.get(identifier);
    if (row === undefined) throw new Error('it is gone');
    expect(row.state).toBe('rejected');
    await services.ledger.requeue(row, new Date().toISOString());
    await deliverShard(shard);
    expect(await services.control.total(customerId, meter)).toBe('20');
  },
);

test('SB19 DL5 the sweep wakes the shard of a row that is none, though nothing else is overdue', async () => {
  await record('cus_bad_sweep', 'bad-sweep');
  await write('usage-ledger', { identifier: 'bad-sweep' }, ['meter', 'bytes']);
  const shard = deliveryShard('cus_bad_sweep', meter);
  expect((await worker().wakeShards()).woken).toEqual([shard]);
  await deliverShard(shard);
  expect((await worker().wakeShards()).woken).toEqual([]);
});

test('SB19 DL3 put off though its row is none by now: laid aside, and not tried again', async () => {
  await record('cus_bad_defer', 'bad-defer');
  await write('usage-ledger', { identifier: 'bad-defer' }, ['quantity', 'ten']);
  const order = { identifier: 'bad-defer', error: 'Stripe HTTP 500', halted: false };
  expect(await worker().deferUsage(order)).toEqual({ again: false });
  expect(await letterOf('usage-rejected', 'bad-defer')).toMatchObject({ status: 'open' });
});

async function receive(id: string): Promise<void> {
  const event = {
    id,
    object: 'event',
    type: 'charge.updated',
    created: Math.floor(Date.now() / 1000),
    livemode: false,
    data: { object: { id: 'cus_inbox', object: 'customer' } },
  };
  const facts = readEvent(event);
  if (facts === undefined) throw new Error('it is no event');
  await services.webhookEvents.put(facts, 'received', gzipSync(JSON.stringify(event)));
}

test.each<[name: string, bad: [string, unknown]]>([
  ['its type, which the index knows', ['type', 7]],
  ['what the row alone knows', ['createdAt', 7]],
])(
  'SB19 WH2 an inbox row, wrong is %s: its letter, and the sweep tells the others',
  async (_, bad) => {
    const [poison, good] = [`evt_bad_${bad[0]}`, `evt_good_${bad[0]}`];
    await receive(poison);
    await receive(good);
    await write('webhook-events', { eventId: poison }, bad);
    const { deps, told } = worker();
    const later = { ...deps, now: () => new Date(Date.now() + 60_000) };
    const sweep = async () =>
      await new MockActivityEnvironment().run(createActivities(later).sweepEvents);
    expect(await sweep()).toMatchObject({ told: 1 });
    expect(told.events).toEqual([good]);
    expect(await letterOf('webhook-event', poison)).toMatchObject({
      status: 'open',
      customerId: 'cus_inbox',
    });
    await services.webhookEvents.settle(good, 'applied');
    expect(await sweep()).toEqual({ told: 0, waiting: 0 });
  },
);

test('SB19 WH6 an inbox row that is none blames none of those that are applied with it', async () => {
  for (const id of ['evt_first', 'evt_none', 'evt_last']) await receive(id);
  await write('webhook-events', { eventId: 'evt_none' }, ['createdAt', 7]);
  const { deps } = worker();
  const order = { eventIds: ['evt_first', 'evt_none', 'evt_last'] };
  const outcome = await applyEvents(deps, order, new AbortController().signal);
  expect(outcome).toMatchObject({ applied: 1, failure: { fault: 'event', final: true } });
  expect(outcome.failure?.error).toContain('the row webhook-events/evt_none cannot be read');
});
