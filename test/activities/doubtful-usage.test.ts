/**
 * Usage that may be at Stripe already (DL14): Stripe's sums, which lag, are asked when they can tell, and
 * nothing is refused, parked or sent anew before that.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createActivities, createStripeActivities } from '../../activities/index.ts';
import { rejectReported } from '../../activities/apply-meter-errors.ts';
import type { Usage } from '../../domain/usage.ts';
import { settleUsage } from '../../operations/settle-usage.ts';
import type { SettleOrder } from '../../operations/settle-usage.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const path = '/v1/billing/meter_events';
/** The tests' own time: the whole first minute of it is the usage's. */
const startMs = Date.parse('2026-11-02T10:00:00.000Z');
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
  await services.control.configure({ summaryLagMs: minuteMs });
});

const at = (ms: number): string => new Date(startMs + ms).toISOString();

/** Usage of one customer in one minute, in the ledger. */
async function recorded(
  customerId: string,
  quantity = '1024',
  ms = 0,
  name?: string,
): Promise<Usage> {
  count += 1;
  const identifier = name ?? `doubt-${count}`;
  await services.control.createCustomer({ id: customerId });
  const usage: Usage = {
    identifier,
    customerId,
    meter: 'file_processed',
    quantity,
    occurredAt: at(ms),
    source: { kind: 'processing', id: identifier },
  };
  await services.ledger.record(usage, at(ms));
  return usage;
}

/** The activities at a time, for us and for Stripe. */
async function workerAt(ms: number) {
  await services.control.setClock(at(ms));
  const { deps, told } = createTestDependencies(services, { now: () => new Date(startMs + ms) });
  return { ...createActivities(deps), ...createStripeActivities(deps), deps, told };
}

const sendAt = async (ms: number, { identifier }: Usage) =>
  await (await workerAt(ms)).sendUsage({ identifier });

/** Called, and answered 500: `fail_after` when it arrived all the same. */
async function failAt(ms: number, usage: Usage, kind: 'fail_before' | 'fail_after') {
  await services.control.fault({ kind, path, where: { identifier: usage.identifier } });
  await expect(sendAt(ms, usage)).rejects.toMatchObject({ type: 'Outside' });
}

const rowOf = async ({ identifier }: Usage) => await services.ledger.get(identifier);
const totalOf = async ({ customerId }: Usage) =>
  await services.control.total(customerId, 'file_processed');

describe('DL14 sums that lag', () => {
  test('DL14 one that arrived unconfirmed, a twin delivered now: two events for two records', async () => {
    const old = await recorded('cus_twins');
    await failAt(0, old, 'fail_after');
    const now = dayMs + hourMs;
    const twin = await recorded('cus_twins');
    expect((await sendAt(now, twin)).state).toBe('delivered');
    const asked = await sendAt(now + 1000, old);
    expect(asked).toEqual({
      identifier: old.identifier,
      state: 'pending',
      dueInMs: hourMs - 1000,
    });
    expect((await rowOf(old))?.nextAttemptAt).toBe(at(now + hourMs));
    expect((await sendAt(now + hourMs, old)).state).toBe('delivered');
    expect(await services.control.events({ customer: old.customerId })).toHaveLength(2);
    expect(await totalOf(old)).toBe('2048');
  });

  test('DL14 a backlog that recovers is sent as a whole, once each, and nothing of it is parked', async () => {
    const backlog = [
      await recorded('cus_backlog', '1'),
      await recorded('cus_backlog', '2'),
      await recorded('cus_backlog', '4'),
    ];
    for (const usage of backlog) await failAt(0, usage, 'fail_before');
    const now = dayMs + hourMs;
    const states = [];
    for (const usage of backlog) states.push((await sendAt(now, usage)).state);
    expect(states).toEqual(['delivered', 'delivered', 'delivered']);
    expect(await totalOf(backlog[0] ?? (await recorded('cus_none')))).toBe('7');
  });

  test('DL14 what must be there is not visible: asked again each hour, for a day, then for a person', async () => {
    const delivered = await recorded('cus_hidden', '10');
    const old = await recorded('cus_hidden', '5');
    await failAt(0, old, 'fail_before');
    const now = dayMs + hourMs;
    await sendAt(now, delivered);
    await services.control.configure({ summaryLagMs: 60 * dayMs });
    expect(await sendAt(now + hourMs, old)).toMatchObject({ state: 'pending', dueInMs: hourMs });
    expect(await sendAt(now + 23 * hourMs, old)).toMatchObject({ dueInMs: hourMs });
    expect((await sendAt(now + 24 * hourMs, old)).state).toBe('parked');
    expect(await totalOf(old)).toBe('10');
  });
});

describe('DL14 the 35 days end while it is in doubt', () => {
  test.each([
    ['fail_after', 'delivered', '1024'],
    ['fail_before', 'rejected', '0'],
  ] as const)('DL14 first tried %s: an hour later it is %s', async (kind, state, total) => {
    const usage = await recorded(`cus_late_${kind}`);
    const last = 35 * dayMs - minuteMs;
    await failAt(last, usage, kind);
    const asked = await sendAt(last + 2 * minuteMs, usage);
    expect(asked).toMatchObject({ state: 'pending', dueInMs: 58 * minuteMs });
    expect((await sendAt(last + hourMs, usage)).state).toBe(state);
    expect(await totalOf(usage)).toBe(total);
  });

  test('DL14 retries ran out: its sums are asked before it is parked, and it had arrived', async () => {
    const usage = await recorded('cus_ran_out');
    await failAt(0, usage, 'fail_after');
    const { deferUsage } = await workerAt(73 * hourMs);
    const order = { identifier: usage.identifier, error: 'Stripe HTTP 500', halted: false };
    expect(await deferUsage(order)).toEqual({ again: true, dueInMs: hourMs });
    expect((await sendAt(74 * hourMs, usage)).state).toBe('delivered');
    expect(await totalOf(usage)).toBe('1024');
  });
});

describe('DL14 refused for good', () => {
  const refuse = async ({ identifier }: Usage) =>
    await services.control.fault({ kind: 'status', status: 400, path, where: { identifier } });

  test.each([
    ['fail_after', 'delivered', '1024'],
    ['fail_before', 'rejected', '0'],
  ] as const)('DL14 first tried %s, then answered 400: it is %s', async (kind, state, total) => {
    const usage = await recorded(`cus_refused_${kind}`);
    await failAt(0, usage, kind);
    await refuse(usage);
    await expect(sendAt(minuteMs, usage)).rejects.toMatchObject({ type: 'Outside' });
    expect(await rowOf(usage)).toMatchObject({ state: 'sending', doubtSince: at(0) });
    // Nothing more is sent, whatever Stripe would say now.
    expect(await sendAt(2 * minuteMs, usage)).toMatchObject({ state: 'pending' });
    expect((await sendAt(minuteMs + hourMs, usage)).state).toBe(state);
    expect(await totalOf(usage)).toBe(total);
    const letter = await services.deadLetters.get(`usage-rejected/${usage.identifier}`);
    expect(letter?.error.includes('400') ?? false).toBe(state === 'rejected');
  });

  test('DL14 by its only call: no doubt is left, neither about it nor about another of its minute', async () => {
    const refused = await recorded('cus_refused_only', '500');
    const other = await recorded('cus_refused_only', '1024', 1000);
    await failAt(0, other, 'fail_after');
    await refuse(refused);
    expect((await sendAt(minuteMs, refused)).state).toBe('rejected');
    expect(await rowOf(refused)).not.toHaveProperty('doubtSince');
    expect((await sendAt(dayMs, other)).state).toBe('delivered');
    expect(await totalOf(other)).toBe('1024');
  });
});

describe('DL3 answers while Stripe’s sums are asked', () => {
  async function asking(name: string, status: number) {
    const usage = await recorded(name);
    await failAt(0, usage, 'fail_before');
    await services.control.fault({ kind: 'status', status, path: '/v1/billing/meters/**' });
    return usage;
  }

  test.each([401, 403])(
    'DL3 DL14 GA16 %i halts with the alert, and blames no record',
    async (status) => {
      const usage = await asking(`cus_ask${status}`, status);
      const before = await rowOf(usage);
      await expect(sendAt(dayMs, usage)).rejects.toMatchObject({ type: 'DeliveryHalted' });
      const { deferUsage, deps, told } = await workerAt(dayMs);
      const order = { identifier: usage.identifier, error: 'refused', halted: true };
      expect(await deferUsage(order)).toEqual({ again: true, dueInMs: 5 * minuteMs });
      expect(await rowOf(usage)).toStrictEqual(before);
      expect((await deps.metrics.deliveryHalted.get()).values[0]?.value).toBe(1);
      expect(told.alerts).toEqual([{ kind: 'delivery_halted', facts: {}, note: 'refused' }]);
    },
  );

  test('DL3 404 is rejected at once', async () => {
    const usage = await asking('cus_ask404', 404);
    expect((await sendAt(dayMs, usage)).state).toBe('rejected');
    expect((await rowOf(usage))?.error).toContain('asking Stripe’s sums: Stripe HTTP 404');
  });

  test('DL3 503 is asked again', async () => {
    const usage = await asking('cus_ask503', 503);
    await expect(sendAt(dayMs, usage)).rejects.toMatchObject({ type: 'Outside' });
    expect((await rowOf(usage))?.state).toBe('sending');
  });
});

test.each([401, 403])(
  'DL12 a call that is answered %i writes nothing into its record',
  async (status) => {
    const usage = await recorded(`cus_halt${status}`);
    await failAt(0, usage, 'fail_before');
    const before = await rowOf(usage);
    const where = { identifier: usage.identifier };
    await services.control.fault({ kind: 'status', status, path, where });
    await expect(sendAt(minuteMs, usage)).rejects.toMatchObject({ type: 'DeliveryHalted' });
    const { deferUsage } = await workerAt(minuteMs);
    await deferUsage({ identifier: usage.identifier, error: 'refused', halted: true });
    expect(await rowOf(usage)).toStrictEqual(before);
    await services.control.clearFaults();
    // Stripe replays the 500 that it saved under the key; the next call has a key of its own.
    await expect(sendAt(2 * minuteMs, usage)).rejects.toMatchObject({ type: 'Outside' });
    expect((await sendAt(3 * minuteMs, usage)).state).toBe('delivered');
    expect(await totalOf(usage)).toBe('1024');
  },
);

describe('DL15 what the sums cannot tell, a person ends', () => {
  async function parked(name: string, kind: 'fail_before' | 'fail_after'): Promise<Usage> {
    const usage = await recorded(name);
    await failAt(0, usage, kind);
    await services.stripe.billing.meterEvents.create({
      event_name: usage.meter,
      identifier: `foreign-${usage.identifier}`,
      timestamp: Math.floor(Date.parse(usage.occurredAt) / 1000),
      payload: { stripe_customer_id: usage.customerId, value: '5' },
    });
    expect((await sendAt(25 * hourMs, usage)).state).toBe('parked');
    return usage;
  }

  async function settle(usage: Usage, as: SettleOrder['as']) {
    const { deps, told } = await workerAt(26 * hourMs);
    const { announceUsage: announce, tellSource } = deps.signals;
    const order = { identifier: usage.identifier, as, reason: 'seen in the dashboard' };
    const row = await settleUsage({ ...deps, announce, tellSource }, order);
    return { row, told };
  }

  const letterOf = async ({ identifier }: Usage) =>
    await services.deadLetters.get(`usage-parked/${identifier}`);

  test('DL15 redriven three times it is parked three times; settled as delivered it is done', async () => {
    const usage = await parked('cus_settle1', 'fail_after');
    const { identifier } = usage;
    for (const redrive of [1, 2, 3]) {
      const row = await rowOf(usage);
      if (row !== undefined) await services.ledger.requeue(row, at(25 * hourMs + redrive));
      expect((await sendAt(25 * hourMs + redrive, usage)).state).toBe('parked');
    }
    expect((await letterOf(usage))?.error).toContain(
      `There: durabill usage settle ${identifier} --as delivered --reason TEXT`,
    );
    const { row, told } = await settle(usage, 'delivered');
    expect(row).toMatchObject({ state: 'delivered', deliveredAt: at(26 * hourMs) });
    expect(row.life.at(-1)?.what).toBe('settled as delivered: seen in the dashboard');
    expect(told.settled).toEqual([{ identifier, state: 'delivered' }]);
    const closed = { status: 'settled', settleReason: 'seen in the dashboard' };
    expect(await letterOf(usage)).toMatchObject(closed);
    expect(await totalOf(usage)).toBe('1029');
  });

  test('DL15 settled to be sent again it is sent, without asking the sums, and counts once', async () => {
    const usage = await parked('cus_settle2', 'fail_before');
    const { told } = await settle(usage, 'resend');
    expect(told.announced).toEqual([usage.identifier]);
    expect((await sendAt(26 * hourMs, usage)).state).toBe('delivered');
    expect(await totalOf(usage)).toBe('1029');
    expect(await letterOf(usage)).toMatchObject({ status: 'settled' });
  });

  test('DL15 only what is laid aside is settled, and only what Stripe takes is sent again', async () => {
    const waiting = await recorded('cus_settle3');
    await expect(settle(waiting, 'delivered')).rejects.toMatchObject({ code: 'conflict' });
    await expect(settle(waiting, 'resend')).rejects.toMatchObject({ code: 'conflict' });
    expect((await rowOf(waiting))?.state).toBe('pending');
    const old = await recorded('cus_settle4', '7', -36 * dayMs);
    expect((await sendAt(0, old)).state).toBe('rejected');
    await expect(settle(old, 'resend')).rejects.toThrow('older than the 35 days');
  });

  test('DL15 dying after any step and running again ends it', async () => {
    const usage = await parked('cus_settle5', 'fail_after');
    const { deps } = await workerAt(26 * hourMs);
    const order = { identifier: usage.identifier, as: 'delivered', reason: 'seen' } as const;
    const died = async (): Promise<never> => await Promise.reject(new Error('died'));
    const { announceUsage: announce } = deps.signals;
    const dying = { ...deps, announce, tellSource: died };
    await expect(settleUsage(dying, order)).rejects.toThrow('died');
    expect((await letterOf(usage))?.status).toBe('open');
    expect((await settle(usage, 'delivered')).row.state).toBe('delivered');
    expect((await letterOf(usage))?.status).toBe('settled');
  });
});

describe('DL17 what Stripe took and refused afterwards', () => {
  /** Told by the double over HTTP at one time, heard by a worker at a later one. */
  async function report(name: string, reportedMs = 4 * minuteMs, lost = false) {
    await services.control.setClock(at(reportedMs));
    const errors = [{ identifier: name, lost }];
    const { id: eventId } = await services.control.reportMeterErrors({ errors });
    return { eventId, createdAt: at(reportedMs) };
  }
  async function hear(told: { eventId: string; createdAt: string }, ms = 5 * minuteMs) {
    const { deps } = await workerAt(ms);
    await rejectReported(deps, services.stripe, told);
  }

  async function redrive(usage: Usage, ms = 3 * minuteMs) {
    const row = await rowOf(usage);
    if (row !== undefined) await services.ledger.requeue(row, at(ms));
    return await sendAt(ms, usage);
  }

  /** Its only call is answered 500, and a person is asked for. */
  async function parked(name: string, kind: 'fail_before' | 'fail_after'): Promise<Usage> {
    const usage = await recorded(name);
    await failAt(0, usage, kind);
    await services.ledger.layAside(usage.identifier, 'parked', 'retries ran out', at(minuteMs));
    return usage;
  }
  const names = async ({ customerId }: Usage) =>
    (await services.control.events({ customer: customerId }))
      .map((event) => event.identifier)
      .toSorted();

  test('DL17 a redrive goes under a fresh identifier, each time, and the old report is heard once', async () => {
    const usage = await recorded('cus_refused');
    const { identifier } = usage;
    await sendAt(0, usage);
    await hear(await report(identifier));
    expect(await rowOf(usage)).toMatchObject({ state: 'rejected', refusals: { 1: 1 } });
    expect((await redrive(usage)).state).toBe('delivered');
    expect(await names(usage)).toEqual([identifier, `${identifier}~2`]);
    await hear(await report(identifier));
    expect((await rowOf(usage))?.state).toBe('delivered');
    await hear(await report(`${identifier}~2`));
    expect(await rowOf(usage)).toMatchObject({ state: 'rejected', refusals: { 1: 2 } });
    expect((await redrive(usage)).state).toBe('delivered');
    expect(await names(usage)).toEqual([identifier, `${identifier}~2`, `${identifier}~3`]);
  });

  test('DL17 a name that had to be shortened is found by the names that its record had', async () => {
    const identifier = `long-${'x'.repeat(95)}`;
    const usage = await recorded('cus_refused_long', '1024', 0, identifier);
    await recorded('cus_refused_other', '1024', 0, `${identifier.slice(0, 99)}y`);
    await sendAt(0, usage);
    await hear(await report(identifier));
    expect((await redrive(usage)).state).toBe('delivered');
    const second = (await names(usage)).find((name) => name !== identifier) ?? '';
    expect(second).toHaveLength(97);
    await hear(await report(second));
    expect(await rowOf(usage)).toMatchObject({ state: 'rejected', refusals: { 1: 2 } });
    expect((await redrive(usage)).state).toBe('delivered');
    // It has had another name since.
    await hear(await report(second));
    expect((await rowOf(usage))?.state).toBe('delivered');
    expect(await names(usage)).toHaveLength(3);
  });

  test('DL17 refused before its answer was known: “already exists” is no proof for it any more', async () => {
    const usage = await recorded('cus_refused_early');
    await failAt(0, usage, 'fail_after');
    await hear(await report(usage.identifier));
    expect((await redrive(usage)).state).toBe('delivered');
    expect(await names(usage)).toEqual([usage.identifier, `${usage.identifier}~2`]);
  });

  test('DL17 DL7 of three events the refused one alone goes again', async () => {
    const usage = await recorded('cus_refused_large', '2500000000000000');
    const { identifier } = usage;
    await sendAt(0, usage);
    await hear(await report(`${identifier}.2`));
    expect(await rowOf(usage)).toMatchObject({ state: 'rejected', arrived: [1, 3] });
    expect((await redrive(usage)).state).toBe('delivered');
    expect(await names(usage)).toEqual(
      [identifier, `${identifier}.2`, `${identifier}.2~2`, `${identifier}.3`].toSorted(),
    );
  });

  test.each([
    ['“already exists”', 'already-there', 10 * minuteMs],
    ['Stripe’s sums', 'sums', 25 * hourMs],
  ])(
    'DL17 redriven since it was reported, and delivered by %s: the report is heard all the same',
    async (_what, by, redrivenMs) => {
      const usage = await parked(`cus_late_report_${redrivenMs}`, 'fail_after');
      const told = await report(usage.identifier, 2 * minuteMs);
      expect((await redrive(usage, redrivenMs)).state).toBe('delivered');
      expect((await rowOf(usage))?.provenBy).toEqual({ 1: { by, at: at(redrivenMs) } });
      await hear(told, redrivenMs + minuteMs);
      expect(await rowOf(usage)).toMatchObject({
        state: 'rejected',
        provenBy: {},
        refusals: { 1: 1 },
      });
      expect(await services.deadLetters.get(`usage-rejected/${usage.identifier}`)).toMatchObject({
        status: 'open',
      });
      expect((await redrive(usage, redrivenMs + 2 * minuteMs)).state).toBe('delivered');
      expect(await names(usage)).toEqual([usage.identifier, `${usage.identifier}~2`]);
    },
  );

  test('DL17 redriven since it was reported, and taken anew: the report is of what was before', async () => {
    const usage = await parked('cus_taken_anew', 'fail_before');
    const told = await report(usage.identifier, 2 * minuteMs);
    // Stripe replays the 500 that it saved under the key; the next call has a key of its own.
    expect((await redrive(usage, 10 * minuteMs)).state).toBe('delivered');
    await hear(told, 11 * minuteMs);
    expect(await rowOf(usage)).toMatchObject({
      state: 'delivered',
      provenBy: { 1: { by: 'answer', at: at(10 * minuteMs) } },
    });
    expect(await totalOf(usage)).toBe('1024');
  });

  test('DL17 DL7 a redrive that sends others of its events outdates no report of this one', async () => {
    const usage = await recorded('cus_others_redriven', '2500000000000000');
    const { identifier } = usage;
    const where = { identifier: `${identifier}.2` };
    await services.control.fault({ kind: 'status', path, where, status: 400 });
    expect((await sendAt(0, usage)).state).toBe('rejected');
    const told = await report(identifier, 2 * minuteMs);
    expect((await redrive(usage, 10 * minuteMs)).state).toBe('delivered');
    await hear(told, 11 * minuteMs);
    expect(await rowOf(usage)).toMatchObject({ state: 'rejected', arrived: [2, 3] });
    expect((await redrive(usage, 12 * minuteMs)).state).toBe('delivered');
    expect(await names(usage)).toEqual(
      [identifier, `${identifier}.2`, `${identifier}.3`, `${identifier}~2`].toSorted(),
    );
  });
});
