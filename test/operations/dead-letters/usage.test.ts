import { afterAll, beforeAll, expect, test } from 'vitest';
import { discard, redrive } from '../../../operations/dead-letters/redrive.ts';
import type { RedriveDependencies } from '../../../operations/dead-letters/redrive.ts';
import type { UsageRecord } from '../../../domain/usage.ts';
import { createDynamoDb } from '../../../platform/dynamodb.ts';
import { parseConfig } from '../../../platform/config.ts';
import type { DeadLetters } from '../../../tables/dead-letters.ts';
import { createTableStore } from '../../../tables/dynamo.ts';
import { openTables } from '../../../tables/open.ts';
import type { Tables } from '../../../tables/open.ts';
import type { UsageLedger } from '../../../tables/usage-ledger.ts';
import { createTables } from '../../../tables/create.ts';
import { startDynamodbServer } from '../../cli/support.ts';
import { newLetter } from '../../support/dead-letters.ts';

let ledger: UsageLedger;
let deadLetters: DeadLetters;
let others: Tables;
let stop: () => Promise<void>;

beforeAll(async () => {
  const server = await startDynamodbServer();
  const client = createDynamoDb(parseConfig(server.env));
  await createTables(client, 'siftbeam-');
  others = openTables(createTableStore(client, 'siftbeam-'));
  ({ ledger, deadLetters } = others);
  stop = async () => {
    client.destroy();
    await server.stop();
  };
});
afterAll(async () => {
  await stop();
});

const at = (second: number): string => `2026-11-21T10:00:${String(second).padStart(2, '0')}.000Z`;

/** Usage that Stripe rejected, with its dead letter. */
async function layAside(identifier: string): Promise<string> {
  const usage: Omit<Parameters<UsageLedger['record']>[0], 'identifier'> = {
    customerId: 'cus_1',
    meter: 'file_processed',
    quantity: '1024',
    occurredAt: at(0),
    source: { kind: 'processing', id: identifier },
  };
  await ledger.record({ identifier, ...usage }, at(1));
  return await rejectAgain(identifier, 2);
}

async function rejectAgain(identifier: string, second: number): Promise<string> {
  const letter = newLetter('usage-rejected', identifier, { error: 'no such customer' });
  const { id } = letter;
  await ledger.claim(identifier, at(second));
  await deadLetters.open(letter, at(second));
  await ledger.layAside(identifier, 'rejected', 'no such customer', at(second));
  return id;
}

function dependencies(changes: Partial<RedriveDependencies> = {}): {
  deps: RedriveDependencies;
  announced: string[];
} {
  const announced: string[] = [];
  const announce = async ({ identifier }: UsageRecord): Promise<void> => {
    await Promise.resolve(announced.push(identifier));
  };
  const notAsked = async (): Promise<never> => await Promise.reject(new Error('not asked for'));
  const deps = {
    ...others,
    ledger,
    deadLetters,
    announce,
    measureDay: notAsked,
    startBill: notAsked,
    announceEvent: notAsked,
    waitUntil: notAsked,
    now: () => new Date(at(30)),
    ...changes,
  };
  return { deps, announced };
}

test('DL9 a redrive puts usage back, announces it, and closes the letter; again it says so', async () => {
  const id = await layAside('once');
  const { deps, announced } = dependencies();
  expect(await redrive(deps, id)).toEqual({
    id,
    identifier: 'once',
    outcome: 'redriven',
    state: 'pending',
  });
  expect(announced).toEqual(['once']);
  expect((await ledger.get('once'))?.state).toBe('pending');
  expect((await deadLetters.get(id))?.status).toBe('redriven');
  expect((await redrive(deps, id)).outcome).toBe('already-redriven');
  expect(announced).toEqual(['once']);
});

const died = new Error('died');
const dies = async (): Promise<never> => await Promise.reject(died);
const deaths: [string, (identifier: string) => Partial<RedriveDependencies>][] = [
  ['before requeue', () => ({ ledger: { ...ledger, requeue: dies } })],
  [
    'after requeue',
    () => ({
      ledger: {
        ...ledger,
        requeue: async (record, now) => {
          await ledger.requeue(record, now);
          throw died;
        },
      },
    }),
  ],
  ['at announce', () => ({ announce: dies })],
  ['before close', () => ({ deadLetters: { get: deadLetters.get, close: dies } })],
  [
    'after close',
    () => ({
      deadLetters: {
        get: deadLetters.get,
        close: async (...args) => {
          await deadLetters.close(...args);
          throw died;
        },
      },
    }),
  ],
];

test.each(deaths)('DL9 dying %s and running again ends the redrive', async (when, broken) => {
  const identifier = `dies-${when.replace(' ', '-')}`;
  const id = await layAside(identifier);
  const first = dependencies(broken(identifier));
  await expect(redrive(first.deps, id)).rejects.toThrow(died);
  const second = dependencies();
  await redrive(second.deps, id);
  expect([...first.announced, ...second.announced]).toContain(identifier);
  const record = await ledger.get(identifier);
  expect(record?.state).toBe('pending');
  expect(record?.life.filter(({ what }) => what === 'redriven')).toHaveLength(1);
  expect((await deadLetters.get(id))?.status).toBe('redriven');
});

test('DL9 delivered between two runs: nothing is announced again, the letter is closed', async () => {
  const id = await layAside('delivered');
  const first = dependencies({ deadLetters: { get: deadLetters.get, close: dies } });
  await expect(redrive(first.deps, id)).rejects.toThrow(died);
  await ledger.confirm('delivered', at(31), 'delivered');
  const second = dependencies();
  expect(await redrive(second.deps, id)).toMatchObject({ outcome: 'redriven', state: 'delivered' });
  expect(second.announced).toEqual([]);
  expect((await deadLetters.get(id))?.status).toBe('redriven');
});

test('DL9 laid aside again while it was redriven: its letter stays open', async () => {
  const id = await layAside('quick');
  const { deps } = dependencies({
    announce: async () => {
      await rejectAgain('quick', 20);
    },
  });
  expect((await redrive(deps, id)).outcome).toBe('again');
  expect((await deadLetters.get(id))?.status).toBe('open');
  expect((await ledger.get('quick'))?.state).toBe('rejected');
});

test('DL9 a letter that says redriven over usage that lies aside is redriven all the same', async () => {
  const id = await layAside('hidden');
  await deadLetters.close(id, { status: 'redriven' }, at(5));
  const { deps, announced } = dependencies();
  expect(await redrive(deps, id)).toMatchObject({ outcome: 'redriven', state: 'pending' });
  expect(announced).toEqual(['hidden']);
});

test('DL9 discard keeps the row and its reason; it cannot be redriven or discarded again', async () => {
  const id = await layAside('discarded');
  const { deps, announced } = dependencies();
  await discard(deps, id, 'a test customer');
  expect(await deadLetters.get(id)).toMatchObject({
    status: 'discarded',
    discardReason: 'a test customer',
    error: 'no such customer',
  });
  await expect(redrive(deps, id)).rejects.toMatchObject({ code: 'conflict' });
  await expect(discard(deps, id, 'again')).rejects.toMatchObject({ code: 'conflict' });
  expect(announced).toEqual([]);
  expect((await ledger.get('discarded'))?.state).toBe('rejected');
});

test('DL9 usage whose redrive has begun cannot be discarded: it will be billed', async () => {
  const id = await layAside('begun');
  const first = dependencies({ announce: dies });
  await expect(redrive(first.deps, id)).rejects.toThrow(died);
  await expect(discard(first.deps, id, 'no')).rejects.toMatchObject({ code: 'conflict' });
  expect((await deadLetters.get(id))?.status).toBe('open');
});

test('DL9 an unknown letter is not found', async () => {
  const { deps } = dependencies();
  await expect(redrive(deps, 'usage-rejected/no')).rejects.toMatchObject({ code: 'not_found' });
  await expect(discard(deps, 'usage-rejected/no', 'x')).rejects.toMatchObject({
    code: 'not_found',
  });
});

test('FM17 usage that the ledger refused: offered again it is recorded once, delivered and the letter closed', async () => {
  const facts = { customerId: 'cus_1', meter: 'file_processed', quantity: '7' } as const;
  const record = { identifier: 'collided', ...facts, occurredAt: at(3) };
  const letter = newLetter('usage-unrecorded', 'collided', { error: 'other facts', record });
  const { id } = letter;
  await deadLetters.open(letter, at(4));
  const { deps, announced } = dependencies();
  expect(await redrive(deps, id)).toMatchObject({ outcome: 'redriven', state: 'pending' });
  expect(await redrive(deps, id)).toMatchObject({ outcome: 'already-redriven', state: 'pending' });
  expect(await ledger.get('collided')).toMatchObject({ ...record, source: { id: 'collided' } });
  expect(announced).toEqual(['collided', 'collided']);
  expect((await deadLetters.get(id))?.status).toBe('redriven');
});

test('FM17 refused again it says so, and the letter stays; discarded only while nothing will be billed', async () => {
  const source = { kind: 'storage' as const, id: 'cus_1/2026-10' };
  const other = { customerId: 'cus_1', meter: 'storage-usage' as const, quantity: '9' };
  await ledger.record({ identifier: 'taken', ...other, occurredAt: at(0), source }, at(0));
  const record = { quantity: '7', occurredAt: at(3) };
  const letter = newLetter('usage-unrecorded', 'taken', { error: 'other facts', record });
  const { id } = letter;
  await deadLetters.open(letter, at(4));
  await expect(redrive(dependencies().deps, id)).rejects.toThrow(
    'is in the ledger with other facts',
  );
  expect((await deadLetters.get(id))?.status).toBe('open');
  expect((await discard(dependencies().deps, id, 'run again under another id')).status).toBe(
    'discarded',
  );
});
