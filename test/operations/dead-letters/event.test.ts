import { afterAll, beforeAll, expect, test } from 'vitest';
import { discard, redrive } from '../../../operations/dead-letters/redrive.ts';
import type { RedriveDependencies } from '../../../operations/dead-letters/redrive.ts';
import { deadLetterId } from '../../../domain/ids.ts';
import { createDynamoDb } from '../../../platform/dynamodb.ts';
import { parseConfig } from '../../../platform/config.ts';
import { createTables } from '../../../tables/create.ts';
import type { DeadLetters } from '../../../tables/dead-letters.ts';
import { createTableStore } from '../../../tables/dynamo.ts';
import { openTables } from '../../../tables/open.ts';
import type { Tables } from '../../../tables/open.ts';
import type { WebhookEvents } from '../../../tables/webhook-events.ts';
import { startDynamodbServer } from '../../cli/support.ts';
import { newLetter } from '../../support/dead-letters.ts';

let deadLetters: DeadLetters;
let webhookEvents: WebhookEvents;
let others: Tables;
let stop: () => Promise<void>;

beforeAll(async () => {
  const server = await startDynamodbServer();
  const client = createDynamoDb(parseConfig(server.env));
  await createTables(client, 'siftbeam-');
  others = openTables(createTableStore(client, 'siftbeam-', () => new Date(at(0))));
  ({ deadLetters, webhookEvents } = others);
  stop = async () => {
    client.destroy();
    await server.stop();
  };
});
afterAll(async () => {
  await stop();
});

const at = (second: number): string => `2026-11-21T10:00:${String(second).padStart(2, '0')}.000Z`;

/** As the customer's workflow does it when an event cannot be applied. */
async function layAside(eventId: string, second = 1): Promise<string> {
  const id = deadLetterId('webhook-event', eventId);
  await webhookEvents.put(
    {
      eventId,
      type: 'invoice.paid',
      createdAt: at(0),
      livemode: false,
      thin: false,
      customerId: 'cus_1',
    },
    'received',
    undefined,
  );
  await deadLetters.open(
    newLetter('webhook-event', eventId, { error: 'Stripe is away', attempts: 3 }),
    at(second),
  );
  await webhookEvents.settle(eventId, 'dead', 'Stripe is away');
  return id;
}

/** A line that applies what it is told of, and patience for five looks. */
function dependencies(changes: Partial<RedriveDependencies> = {}): {
  deps: RedriveDependencies;
  announced: [line: string, eventId: string][];
} {
  const announced: [line: string, eventId: string][] = [];
  const notAsked = async (): Promise<never> => await Promise.reject(new Error('not asked for'));
  const deps: RedriveDependencies = {
    ...others,
    deadLetters,
    webhookEvents,
    announce: notAsked,
    measureDay: notAsked,
    startBill: notAsked,
    announceEvent: async (line, eventId) => {
      announced.push([line, eventId]);
      await webhookEvents.settle(eventId, 'applied');
    },
    waitUntil: async (isOver) => {
      for (let look = 0; look < 5; look += 1) if (await isOver()) return true;
      return false;
    },
    now: () => new Date(at(30)),
    ...changes,
  };
  return { deps, announced };
}

const died = new Error('died');
const dies = async (): Promise<never> => await Promise.reject(died);
const status = async (id: string) => (await deadLetters.get(id))?.status;

test('WH7 a redrive applies the event once, and closes its letter; again it says so', async () => {
  const id = await layAside('evt_once');
  const { deps, announced } = dependencies();
  expect(await redrive(deps, id)).toEqual({
    id,
    eventId: 'evt_once',
    outcome: 'redriven',
    state: 'applied',
  });
  expect(await status(id)).toBe('redriven');
  expect((await redrive(deps, id)).outcome).toBe('already-redriven');
  expect(announced).toEqual([['cus_1', 'evt_once']]);
});

test('WH7 an event that was applied after all is not announced; its letter is closed', async () => {
  const id = await layAside('evt_applied');
  await webhookEvents.settle('evt_applied', 'applied');
  const { deps } = dependencies({ announceEvent: dies });
  expect((await redrive(deps, id)).outcome).toBe('redriven');
  expect(await status(id)).toBe('redriven');
});

test('WH7 laid aside again: the letter stays open, and says so', async () => {
  const id = await layAside('evt_again');
  const announceEvent = async () => {
    await layAside('evt_again', 20);
  };
  const { deps } = dependencies({ announceEvent });
  expect(await redrive(deps, id)).toMatchObject({ outcome: 'again', state: 'dead' });
  expect(await status(id)).toBe('open');
  expect((await redrive(dependencies().deps, id)).outcome).toBe('redriven');
});

test('WH7 tried still when patience ends: the letter stays open, and a later redrive closes it', async () => {
  const id = await layAside('evt_slow');
  const { deps } = dependencies({ announceEvent: async () => await Promise.resolve() });
  expect(await redrive(deps, id)).toMatchObject({ outcome: 'started', state: 'dead' });
  expect(await status(id)).toBe('open');
  await webhookEvents.settle('evt_slow', 'applied');
  expect((await redrive(deps, id)).outcome).toBe('redriven');
  expect(await status(id)).toBe('redriven');
});

type Break = (deps: RedriveDependencies) => Partial<RedriveDependencies>;
const deaths: [when: string, broken: Break][] = [
  ['before announcing', () => ({ announceEvent: dies })],
  [
    'after announcing',
    ({ announceEvent }) => ({
      announceEvent: async (line, eventId) => {
        await announceEvent(line, eventId);
        throw died;
      },
    }),
  ],
  ['while waiting', () => ({ waitUntil: dies })],
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

test.each(deaths)('WH7 dying %s and running again ends the redrive', async (when, broken) => {
  const eventId = `evt_${when.replaceAll(' ', '_')}`;
  const id = await layAside(eventId);
  const { deps, announced } = dependencies();
  await expect(redrive({ ...deps, ...broken(deps) }, id)).rejects.toThrow(died);
  await redrive(deps, id);
  expect(announced).toEqual([['cus_1', eventId]]);
  expect(await status(id)).toBe('redriven');
  expect((await webhookEvents.get(eventId))?.status).toBe('applied');
});

test('WH7 a dead event can be discarded, an applied one cannot', async () => {
  const { deps } = dependencies();
  const id = await layAside('evt_discard');
  expect(await discard(deps, id, 'of a test')).toMatchObject({ status: 'discarded' });
  await expect(redrive(deps, id)).rejects.toMatchObject({ code: 'conflict' });
  const applied = await layAside('evt_discard_applied');
  await webhookEvents.settle('evt_discard_applied', 'applied');
  await expect(discard(deps, applied, 'x')).rejects.toMatchObject({ code: 'conflict' });
  expect(await status(applied)).toBe('open');
});

test('WH7 an event that has left the inbox is said so', async () => {
  const letter = newLetter('webhook-event', 'evt_gone', { customerId: 'none', attempts: 3 });
  const { id } = letter;
  await deadLetters.open(letter, at(1));
  await expect(redrive(dependencies().deps, id)).rejects.toMatchObject({ code: 'conflict' });
});
