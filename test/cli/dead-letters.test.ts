/** What an operator types to end each kind of dead letter, with a worker in this process that does the rest. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deadLetterKinds } from '../../domain/dead-letters.ts';
import type { DeadLetterKind } from '../../domain/dead-letters.ts';
import { storageIdentifier } from '../../domain/ids.ts';
import { dayOf, daysOf } from '../../domain/period.ts';
import { snapshotOf } from '../../domain/storage.ts';
import { readEvent } from '../../domain/stripe-events.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startTestTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';
import { durabill } from './support.ts';
import { newLetter } from '../support/dead-letters.ts';

let services: Services;
let temporal: BareTemporal;
let env: Record<string, string>;
beforeAll(async () => {
  services = await startServices();
  temporal = await startTestTemporal(services);
  const TEMPORAL_ADDRESS = temporal.server.address;
  env = { ...services.env, TEMPORAL_ADDRESS, TASK_QUEUE: taskQueue, NO_COLOR: '1' };
});
afterAll(async () => {
  await temporal.stop();
  await services.stop();
});

const dayMs = 86_400_000;
const patience = { timeout: 300_000, interval: 100 };
/** Before last month, which is billed here. */
const someDay = dayOf(Date.now() - 70 * dayMs);
const nightBefore = dayOf(Date.now() - 71 * dayMs);
const lastMonth = dayOf(Date.parse(`${dayOf(Date.now()).slice(0, 7)}-01`) - dayMs).slice(0, 7);
const meter = 'file_processed' as const;

async function run(...args: string[]) {
  const { code, stdout, stderr } = await durabill([...args, '--json'], env);
  return { code, stderr, json: JSON.parse(stdout) as unknown };
}

async function customer(customerId: string): Promise<void> {
  await services.control.createCustomer({ id: customerId });
  const createdAt = new Date().toISOString();
  await services.customers.add({ customerId, plan: 'free', billingStatus: 'active', createdAt });
}

async function openLetter(
  kind: DeadLetterKind,
  about: string,
  customerId: string,
  record: Record<string, unknown> = {},
): Promise<string> {
  const letter = newLetter(kind, about, { customerId, record });
  await services.deadLetters.open(letter, new Date().toISOString());
  return letter.id;
}

async function usageLaidAside(state: 'rejected' | 'parked', identifier: string): Promise<string> {
  const at = new Date().toISOString();
  const customerId = `cus_${identifier.replaceAll('-', '_')}`;
  await customer(customerId);
  const source = { kind: 'processing', id: identifier } as const;
  const facts = { identifier, customerId, meter, quantity: '1024', occurredAt: at, source };
  await services.ledger.record(facts, at);
  await services.ledger.claim(identifier, at);
  await services.ledger.layAside(identifier, state, 'it failed', at);
  return await openLetter(`usage-${state}`, identifier, customerId);
}

const stateOf = async (identifier: string) => (await services.ledger.get(identifier))?.state;
const statusOf = async (id: string) => (await services.deadLetters.get(id))?.status;
const atStripe = async (identifier: string) =>
  await services.control.total(`cus_${identifier.replaceAll('-', '_')}`, meter);

interface Case {
  /** Lays work aside; its letter's id. */
  lay: () => Promise<string>;
  /** The work itself is done. */
  isDone: () => Promise<unknown>;
  done: unknown;
}

/** A kind that is new has no case here, and this does not compile. */
const cases: Record<DeadLetterKind, Case> = {
  'usage-rejected': {
    lay: async () => await usageLaidAside('rejected', 'job-rejected'),
    isDone: async () => [await stateOf('job-rejected'), await atStripe('job-rejected')],
    done: ['delivered', '1024'],
  },
  'usage-parked': {
    lay: async () => await usageLaidAside('parked', 'job-parked'),
    isDone: async () => [await stateOf('job-parked'), await atStripe('job-parked')],
    done: ['delivered', '1024'],
  },
  'usage-unrecorded': {
    lay: async () => {
      await customer('cus_job_unrecorded');
      const occurredAt = new Date().toISOString();
      const usage = { quantity: '7', occurredAt };
      return await openLetter('usage-unrecorded', 'job-unrecorded', 'cus_job_unrecorded', usage);
    },
    isDone: async () => [await stateOf('job-unrecorded'), await atStripe('job-unrecorded')],
    done: ['delivered', '7'],
  },
  'storage-day': {
    lay: async () => {
      await customer('cus_day');
      await services.putFile('cus_day', 'a.bin', 'x'.repeat(100));
      return await openLetter('storage-day', someDay, 'cus_day');
    },
    isDone: async () =>
      (await services.storageDaily.get('cus_day', someDay))?.totalStorageBytes ?? 'no row',
    done: '100',
  },
  'storage-night': {
    lay: async () => {
      await customer('cus_night');
      await services.putFile('cus_night', 'a.bin', 'x'.repeat(200));
      return await openLetter('storage-night', nightBefore, '');
    },
    isDone: async () =>
      (await services.storageDaily.get('cus_night', nightBefore))?.totalStorageBytes ?? 'no row',
    done: '200',
  },
  'storage-bill': {
    lay: async () => {
      await customer('cus_bill');
      const at = new Date().toISOString();
      for (const day of daysOf(lastMonth)) {
        const stored = { bytes: 500n, files: 1 };
        await services.storageDaily.put(snapshotOf('cus_bill', day, stored, stored), at);
      }
      return await openLetter('storage-bill', lastMonth, 'cus_bill');
    },
    isDone: async () => [
      (await services.storageMonthly.get('cus_bill', lastMonth))?.billingStatus,
      await stateOf(storageIdentifier('cus_bill', lastMonth)),
    ],
    done: ['billed', 'delivered'],
  },
  'webhook-event': {
    lay: async () => {
      // Its type changes nothing, so that it is applied without a word with Stripe.
      const event = {
        id: 'evt_dead',
        object: 'event',
        type: 'charge.updated',
        created: Math.floor(Date.now() / 1000),
        livemode: false,
        data: { object: { id: 'cus_event', object: 'customer' } },
      };
      const facts = readEvent(event);
      if (facts === undefined) throw new Error('it is no event');
      await services.webhookEvents.put(facts, 'received', gzipSync(JSON.stringify(event)));
      await services.webhookEvents.settle('evt_dead', 'dead', 'it failed');
      return await openLetter('webhook-event', 'evt_dead', 'cus_event');
    },
    isDone: async () => (await services.webhookEvents.get('evt_dead'))?.status,
    done: 'applied',
  },
};
test.concurrent.for([...deadLetterKinds])(
  'DL9 %s: the command that ends it does the work and closes the letter',
  async (kind, { expect }) => {
    const { lay, isDone, done } = cases[kind];
    const id = await lay();
    expect((await run('dead-letters', 'redrive', id)).code).toBe(0);
    await expect.poll(isDone, patience).toEqual(done);
    await expect.poll(async () => await statusOf(id), patience).toBe('redriven');
  },
);

test('SB14 bill month ends a failed bill as well', async () => {
  await customer('cus_month');
  const at = new Date().toISOString();
  for (const day of daysOf(lastMonth)) {
    const stored = { bytes: 300n, files: 1 };
    await services.storageDaily.put(snapshotOf('cus_month', day, stored, stored), at);
  }
  const id = await openLetter('storage-bill', lastMonth, 'cus_month');
  expect((await run('bill', 'month', '--month', lastMonth, '--wait')).code).toBe(0);
  expect((await services.storageMonthly.get('cus_month', lastMonth))?.billingStatus).toBe('billed');
  expect(await statusOf(id)).toBe('redriven');
});

test('DL15 usage settle: there, it is delivered and nothing is sent; not there, it is sent', async () => {
  const reason = ['--reason', 'looked at minute 12:34'];
  const there = await usageLaidAside('parked', 'job-there');
  const settled = await run('usage', 'settle', 'job-there', '--as', 'delivered', ...reason);
  expect(settled).toMatchObject({ code: 0, json: { state: 'delivered' } });
  expect(await services.deadLetters.get(there)).toMatchObject({
    status: 'settled',
    settleReason: 'looked at minute 12:34',
  });
  const row = await services.ledger.get('job-there');
  expect(row?.life.at(-1)?.what).toBe('settled as delivered: looked at minute 12:34');
  expect(await atStripe('job-there')).toBe('0');

  const absent = await usageLaidAside('rejected', 'job-absent');
  const resent = await durabill(['usage', 'settle', 'job-absent', '--resend', ...reason], env);
  expect(resent).toMatchObject({
    code: 0,
    stdout: 'Usage job-absent is sent again: looked at minute 12:34\n',
  });
  await expect.poll(async () => await stateOf('job-absent'), patience).toBe('delivered');
  expect([await atStripe('job-absent'), await statusOf(absent)]).toEqual(['1024', 'settled']);
  // What is delivered is no person's to settle.
  const late = await run('usage', 'settle', 'job-absent', '--resend', ...reason);
  expect(late).toMatchObject({ code: 1, json: { error: 'conflict' } });
});

test('DL15 usage settle refuses what does not say one thing, and why', async () => {
  const reason = ['--reason', 'x'];
  const refused: [args: string[], code: number, error: string][] = [
    [['nobody', '--resend', ...reason], 1, 'not_found'],
    [['job', '--resend', '--reason', ' '], 1, 'invalid_request'],
    [['job', '--resend'], 2, 'invalid_request'],
    [['job', ...reason], 2, 'invalid_request'],
    [['job', '--resend', '--as', 'delivered', ...reason], 2, 'invalid_request'],
    [['job', '--as', 'rejected', ...reason], 2, 'invalid_request'],
  ];
  const answers = refused.map(async ([args]) => await run('usage', 'settle', ...args));
  expect(await Promise.all(answers)).toMatchObject(
    refused.map(([, code, error]) => ({ code, json: { error } })),
  );
});
