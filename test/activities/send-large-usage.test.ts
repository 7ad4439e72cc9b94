/** A quantity of more than 15 digits goes to Stripe in several meter events (DL7), and counts once. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createActivities, createStripeActivities } from '../../activities/index.ts';
import { rejectReported } from '../../activities/apply-meter-errors.ts';
import type { Usage } from '../../domain/usage.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

const hourMs = 3_600_000;
const path = '/v1/billing/meter_events';
/** Three events: twice the largest value, and the rest. */
const quantity = '2500000000000000';
const values = ['999999999999999', '999999999999999', '500000000000002'];
let services: Services;
let count = 0;

beforeAll(async () => {
  services = await startServices();
});
afterAll(async () => {
  await services.stop();
});
beforeEach(async () => {
  await services.control.clearFaults();
  await services.control.resetClock();
});

async function recorded(change: Partial<Usage> = {}, now = new Date()): Promise<Usage> {
  count += 1;
  const usage: Usage = {
    identifier: `large-${count}`,
    customerId: `cus_large${count}`,
    meter: 'storage-usage',
    quantity,
    occurredAt: now.toISOString(),
    source: { kind: 'storage', id: `cus_large${count}/2026-10` },
    ...change,
  };
  if (usage.customerId !== 'cus_nobody') {
    await services.control.createCustomer({ id: usage.customerId });
  }
  await services.ledger.record(usage, now.toISOString());
  return usage;
}

function sender(now: () => Date = () => new Date()) {
  const { deps } = createTestDependencies(services, { now });
  return { ...createActivities(deps), ...createStripeActivities(deps), deps };
}

/** What Stripe has of a customer: identifiers and values, in the order of their arrival. */
async function received({ customerId }: Usage): Promise<[string, string][]> {
  const events = await services.control.events({ customer: customerId });
  return events.map(({ identifier, value }) => [identifier, value]);
}

const allOf = ({ identifier }: Usage): [string, string][] =>
  values.map((value, index) => [index === 0 ? identifier : `${identifier}.${index + 1}`, value]);

const nameOf = (usage: Usage, place: number): string => allOf(usage)[place - 1]?.[0] ?? '';

/** The double lists newest first or oldest first: arrival is told by the names. */
const sorted = (events: readonly [string, string][]) =>
  events.toSorted(([one], [other]) => compareText(one, other));
const compareText = (one: string, other: string): number => (one < other ? -1 : 1);

const send = async (usage: Usage, now?: () => Date) =>
  await sender(now).sendUsage({ identifier: usage.identifier });

/** As Temporal does: again and again. */
async function sendUntilSettled(usage: Usage): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const settled = await send(usage).catch(() => undefined);
    if (settled !== undefined) return;
  }
}

test('DL7 three events, one record: exact, each with its key, and its life tells of each', async () => {
  const usage = await recorded();
  expect((await send(usage)).state).toBe('delivered');
  expect(sorted(await received(usage))).toEqual(allOf(usage));
  const keys = (await services.control.requests())
    .filter((seen) => seen.path === path)
    .map(({ idempotencyKey }) => idempotencyKey ?? '')
    .filter((key) => key.startsWith(usage.identifier));
  expect(keys.toSorted(compareText)).toEqual(allOf(usage).map(([identifier]) => identifier));
  const row = await services.ledger.get(usage.identifier);
  expect(row?.life.map(({ what }) => what)).toEqual([
    'recorded',
    'sending',
    'event 1 of 3 delivered',
    'event 2 of 3 delivered',
    'delivered',
  ]);
  expect(row?.arrived).toBeUndefined();
  expect((await send(usage)).state).toBe('delivered');
  expect(await received(usage)).toHaveLength(3);
});

test.each(
  [1, 2, 3].flatMap((place) =>
    (['fail_before', 'fail_after', 'drop_after', 'html_502'] as const).map(
      (kind) => [kind, place] as const,
    ),
  ),
)('DL7 I3 %s at event %i: tried again from there, each counts once', async (kind, place) => {
  const usage = await recorded();
  await services.control.fault({ kind, path, where: { identifier: nameOf(usage, place) } });
  await sendUntilSettled(usage);
  expect((await services.control.faults()).map(({ hits }) => hits)).toEqual([1]);
  expect((await services.ledger.get(usage.identifier))?.state).toBe('delivered');
  expect(sorted(await received(usage))).toEqual(allOf(usage));
});

test('DL7 killed between the second event and its note: known at Stripe, and not counted again', async () => {
  const usage = await recorded();
  const { deps } = sender();
  const { sendUsage } = createStripeActivities({
    ...deps,
    ledger: {
      ...deps.ledger,
      noteEvent: async (record, place, line) => {
        if (place === 2) throw new Error('killed');
        return await deps.ledger.noteEvent(record, place, line);
      },
    },
  });
  await expect(sendUsage({ identifier: usage.identifier })).rejects.toThrow('killed');
  expect(await received(usage)).toHaveLength(2);
  expect(await services.ledger.get(usage.identifier)).toMatchObject({ arrived: [1] });
  expect((await send(usage)).state).toBe('delivered');
  expect(sorted(await received(usage))).toEqual(allOf(usage));
});

describe('DL7 DL2 a day later, when Stripe has forgotten the identifiers', () => {
  async function uncertain(kind: 'fail_before' | 'fail_after', place: number): Promise<Usage> {
    const then = new Date(Date.now() - 25 * hourMs);
    await services.control.setClock(then.toISOString());
    const usage = await recorded({}, then);
    await services.control.fault({ kind, path, where: { identifier: nameOf(usage, place) } });
    await expect(send(usage, () => then)).rejects.toMatchObject({ type: 'Outside' });
    await services.control.resetClock();
    return usage;
  }

  test.each([
    ['fail_after', 1],
    ['fail_after', 2],
    ['fail_after', 3],
    ['fail_before', 1],
    ['fail_before', 2],
    ['fail_before', 3],
  ] as const)('%s at event %i: Stripe’s sums tell, each counts once', async (kind, place) => {
    const usage = await uncertain(kind, place);
    await sendUntilSettled(usage);
    expect((await services.ledger.get(usage.identifier))?.state).toBe('delivered');
    expect(sorted(await received(usage))).toEqual(allOf(usage));
  });

  test('the sums do not tell: parked, nothing more is sent', async () => {
    const usage = await uncertain('fail_before', 2);
    await services.stripe.billing.meterEvents.create({
      event_name: usage.meter,
      identifier: `foreign-${usage.identifier}`,
      timestamp: Math.floor(Date.parse(usage.occurredAt) / 1000),
      payload: { stripe_customer_id: usage.customerId, value: '5' },
    });
    expect((await send(usage)).state).toBe('parked');
    expect(await received(usage)).toHaveLength(2);
  });
});

test('DL7 refused at the second event: a dead letter says which; a redrive goes on from there', async () => {
  const usage = await recorded();
  const where = { identifier: nameOf(usage, 2) };
  await services.control.fault({ kind: 'status', status: 400, path, where });
  expect((await send(usage)).state).toBe('rejected');
  const letter = await services.deadLetters.get(`usage-rejected/${usage.identifier}`);
  expect(letter?.error).toContain('meter event 2 of 3: ');
  const row = await services.ledger.get(usage.identifier);
  expect(row).toMatchObject({ arrived: [1] });
  if (row !== undefined) await services.ledger.requeue(row, new Date().toISOString());
  expect((await send(usage)).state).toBe('delivered');
  expect(sorted(await received(usage))).toEqual(allOf(usage));
});

test('DL7 more than 99 events: rejected with a dead letter, no call', async () => {
  const usage = await recorded({ quantity: '9'.repeat(30) });
  expect((await send(usage)).state).toBe('rejected');
  expect(await received(usage)).toEqual([]);
  const letter = await services.deadLetters.get(`usage-rejected/${usage.identifier}`);
  expect(letter?.error).toContain('more than 99 meter events');
});

describe('DL7 I3 two records never share an identifier at Stripe', () => {
  test('a record that has the name of a later event is there first: the large one is laid aside', async () => {
    const small = await recorded({ identifier: 'shared.2', quantity: '1' });
    const large = await recorded({ identifier: 'shared' });
    expect((await send(large)).state).toBe('rejected');
    expect(await received(large)).toEqual([]);
    const letter = await services.deadLetters.get('usage-rejected/shared');
    expect(letter?.error).toBe(
      'its meter event shared.2 has the identifier of another usage record',
    );
    expect((await send(small)).state).toBe('delivered');
  });

  test('the large one is there first: such a record is refused', async () => {
    await recorded({ identifier: 'taken' });
    await expect(recorded({ identifier: 'taken.2', quantity: '1' })).rejects.toMatchObject({
      code: 'conflict',
    });
    await recorded({ identifier: 'taken.4', quantity: '1' });
    await recorded({ identifier: 'one', quantity: '1' });
    await recorded({ identifier: 'one.2', quantity: '1' });
  });
});

test('DL7 WH9 a later event that Stripe refuses afterwards rejects its record', async () => {
  const usage = await recorded();
  await send(usage);
  const { deps } = sender();
  const report = {
    reason: {
      error_types: [
        {
          code: 'meter_event_no_customer_defined',
          sample_errors: [
            { error_message: 'gone', request: { identifier: `${usage.identifier}.3` } },
            { error_message: 'gone', request: { identifier: `${usage.identifier}.4` } },
          ],
        },
      ],
    },
  };
  const reporting = {
    v2: { core: { events: { retrieve: async () => await Promise.resolve({ data: report }) } } },
  };
  await rejectReported(deps, reporting as unknown as typeof services.stripe, {
    eventId: 'evt_report',
    createdAt: new Date().toISOString(),
  });
  expect(await services.ledger.get(usage.identifier)).toMatchObject({ state: 'rejected' });
});
