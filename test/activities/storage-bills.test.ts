import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { createActivities, createStripeActivities } from '../../activities/index.ts';
import { refuseLater } from '../../activities/settle-usage.ts';
import { daysOf } from '../../domain/period.ts';
import { nothingStored, snapshotOf } from '../../domain/storage.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

const month = '2026-02';
const now = () => new Date('2026-03-01T02:30:00.000Z');
let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(async () => {
  await services.stop();
});

const runId = 'a run of this test';

function activities(changes: Partial<Dependencies> = {}) {
  const { deps, told } = createTestDependencies(services, { now, ...changes });
  return { ...createActivities(deps), deps, told };
}
const identifierOf = (customerId: string): string => `storage-${customerId}-${month}`;
const billOf = async (customerId: string) => await services.storageMonthly.get(customerId, month);

async function store(customerId: string, date: string, bytes: bigint): Promise<void> {
  const snapshot = snapshotOf(customerId, date, { bytes, files: 1 }, { bytes: 0n, files: 0 });
  await services.storageDaily.put(snapshot, `${date}T01:00:00.000Z`);
}

async function deliver(customerId: string): Promise<void> {
  const at = now().toISOString();
  await services.ledger.claim(identifierOf(customerId), at);
  await services.ledger.confirm(identifierOf(customerId), at, 'Stripe took it');
}

describe('SB15 a bill is prepared once', () => {
  test('twenty at once: one bill, one usage record, announced; the amount stays for good', async () => {
    await store('cus_p', '2026-02-27', 2n ** 53n + 1n);
    await store('cus_p', '2026-02-28', 2n ** 53n + 2n);
    const { prepareBill, told } = activities();
    const order = { customerId: 'cus_p', month, runId };
    const bytes = String(2n ** 53n + 2n);
    const all = await Promise.all(Array.from({ length: 20 }, async () => await prepareBill(order)));
    expect(all).toEqual(all.map(() => ({ state: 'waiting', bytes })));
    expect(new Set(told.announced)).toEqual(new Set([identifierOf('cus_p')]));
    expect(await services.ledger.get(identifierOf('cus_p'))).toMatchObject({
      quantity: bytes,
      meter: 'storage-usage',
      occurredAt: '2026-02-28T23:59:59.000Z',
      state: 'pending',
    });
    // A day that is measured late changes nothing that was recorded.
    await store('cus_p', '2026-02-26', 1n);
    expect(await prepareBill(order)).toEqual({ state: 'waiting', bytes });
    expect(await billOf('cus_p')).toMatchObject({
      averageStorageBytes: bytes,
      countedDays: ['2026-02-27', '2026-02-28'],
    });
  });

  test('SB10 SB11 DL7 petabytes: Stripe’s sum is the average, to the byte', async () => {
    const customerId = 'cus_peta';
    await services.control.setClock(now().toISOString());
    await services.control.createCustomer({ id: customerId });
    await store(customerId, '2026-02-27', 2_500_000_000_000_001n);
    await store(customerId, '2026-02-28', 2_500_000_000_000_004n);
    const { prepareBill, deps } = activities();
    const { sendUsage } = createStripeActivities(deps);
    const bytes = '2500000000000003';
    expect(await prepareBill({ customerId, month, runId })).toEqual({ state: 'waiting', bytes });
    const identifier = identifierOf(customerId);
    expect(await sendUsage({ identifier })).toMatchObject({ state: 'delivered' });
    const events = await services.control.events({ customer: customerId });
    expect(new Set(events.map((event) => event.identifier))).toEqual(
      new Set([identifier, `${identifier}.2`, `${identifier}.3`]),
    );
    expect(String(events.reduce((sum, { value }) => sum + BigInt(value), 0n))).toBe(bytes);
    expect(new Set(events.map(({ timestamp }) => timestamp))).toEqual(
      new Set([Date.parse('2026-02-28T23:59:59Z') / 1000]),
    );
    await services.control.resetClock();
  });

  test('SB10 the average over the calendar when it is configured so', async () => {
    await store('cus_c', '2026-02-28', 2800n);
    const { prepareBill } = activities({ averageOver: 'calendar-days' });
    expect(await prepareBill({ customerId: 'cus_c', month, runId })).toMatchObject({
      bytes: '100',
    });
    expect(await billOf('cus_c')).toMatchObject({ averageOver: 'calendar-days' });
  });

  test('no snapshot at all, and SB18 a month too old: refused, nothing is written', async () => {
    const refused = { type: 'Refused', nonRetryable: true };
    await expect(
      activities().prepareBill({ customerId: 'cus_none', month, runId }),
    ).rejects.toMatchObject(refused);
    await store('cus_old', '2026-02-01', 5n);
    const late = activities({ now: () => new Date('2026-04-04T23:59:59.001Z') });
    const order = { customerId: 'cus_old', month, runId };
    await expect(late.prepareBill(order)).rejects.toMatchObject(refused);
    for (const customerId of ['cus_none', 'cus_old']) {
      expect(await billOf(customerId)).toBeUndefined();
      expect(await services.ledger.get(identifierOf(customerId))).toBeUndefined();
    }
  });
});

describe('SB13 a bill is closed', () => {
  test('not before Stripe has it; then counted days only; again changes nothing', async () => {
    for (const date of daysOf(month).slice(0, 25)) await store('cus_d', date, 7n);
    const { prepareBill, completeBill } = activities();
    const order = { customerId: 'cus_d', month, runId };
    await prepareBill(order);
    await expect(completeBill(order)).rejects.toMatchObject({ type: 'Refused' });
    const statuses = async () =>
      (await services.storageDaily.ofMonth('cus_d', month)).map((row) => row.billingStatus);
    expect(await statuses()).toEqual(Array.from({ length: 25 }, () => 'pending'));
    await store('cus_d', '2026-02-28', 99n);
    await deliver('cus_d');
    await completeBill(order);
    expect(await statuses()).toEqual([...Array.from({ length: 25 }, () => 'billed'), 'pending']);
    const bill = await billOf('cus_d');
    expect(bill).toMatchObject({
      billingStatus: 'billed',
      stripeMeterStatus: 'success',
      stripeMeterSentAt: now().toISOString(),
    });
    expect(await completeBill(order)).toEqual({ billed: true });
    expect(await billOf('cus_d')).toEqual(bill);
    // A task whose result was lost is done again by the same run: what it closed is its own.
    expect(await prepareBill(order)).toEqual({ state: 'closed', bytes: '7' });
    const another = { ...order, runId: 'another run' };
    expect(await prepareBill(another)).toEqual({ state: 'billed', bytes: '7' });
    expect(await completeBill(another)).toEqual({ billed: false });
    expect(await billOf('cus_d')).toEqual(bill);
  });

  test('a day that another bill holds: refused, and the bill is not closed', async () => {
    await store('cus_x', '2026-02-01', 7n);
    const { prepareBill, completeBill } = activities();
    const order = { customerId: 'cus_x', month, runId };
    await prepareBill(order);
    await deliver('cus_x');
    const key = { customerId: 'cus_x', date: '2026-02-01' };
    await services.storageDaily.markBilled(key, 'storage-other', now().toISOString());
    await expect(completeBill(order)).rejects.toMatchObject({ type: 'Refused' });
    expect((await billOf('cus_x'))?.billingStatus).toBe('pending');
  });

  test('SB14 a failure told after it was billed changes nothing and opens no letter', async () => {
    const before = await billOf('cus_d');
    await activities().failBill({ customerId: 'cus_d', month, error: 'late' });
    expect(await billOf('cus_d')).toEqual(before);
    expect(await services.deadLetters.get(`storage-bill/cus_d/${month}`)).toBeUndefined();
  });
});

describe('SB9 bills that an earlier run started', () => {
  const standing = async (customerId: string, isBillRunning: () => Promise<boolean>) => {
    const { deps } = activities();
    const { checkBills } = activities({ signals: { ...deps.signals, isBillRunning } });
    return await checkBills({ month, runs: [{ customerId, runId }] });
  };

  test('one that is billed while its workflow is asked for is billed, not failed', async () => {
    await store('cus_race', '2026-02-01', 7n);
    const { prepareBill, completeBill } = activities();
    const order = { customerId: 'cus_race', month, runId };
    await prepareBill(order);
    await deliver('cus_race');
    const ends = async () => {
      await completeBill(order);
      return false;
    };
    const billed = [{ customerId: 'cus_race', state: 'billed', bytes: '7' }];
    expect(await standing('cus_race', ends)).toEqual(billed);
    const { checkBills } = activities();
    const another = [{ customerId: 'cus_race', runId: 'another run' }];
    expect(await checkBills({ month, runs: another })).toMatchObject([{ state: 'skipped' }]);
    expect(await services.deadLetters.get(`storage-bill/cus_race/${month}`)).toBeUndefined();
  });

  test('one that runs is running; terminated, it has failed, and its bill and a letter say so', async () => {
    await store('cus_lost', '2026-02-01', 7n);
    await activities().prepareBill({ customerId: 'cus_lost', month, runId });
    const of = (state: string) => [{ customerId: 'cus_lost', state, bytes: '7' }];
    expect(await standing('cus_lost', async () => await Promise.resolve(true))).toEqual(
      of('running'),
    );
    expect((await billOf('cus_lost'))?.billingStatus).toBe('pending');
    expect(await standing('cus_lost', async () => await Promise.resolve(false))).toEqual(
      of('failed'),
    );
    expect(await billOf('cus_lost')).toMatchObject({
      billingStatus: 'failed',
      notes: expect.stringContaining('ended from outside') as string,
    });
    expect(await services.deadLetters.get(`storage-bill/cus_lost/${month}`)).toMatchObject({
      status: 'open',
    });
  });
});

describe('SB24 a bill whose dead letter was discarded', () => {
  const letterId = (customerId: string): string => `storage-bill/${customerId}/${month}`;
  const discardOf = async (customerId: string): Promise<void> => {
    const to = { status: 'discarded', reason: 'a test customer' } as const;
    const at = now().toISOString();
    expect(await services.deadLetters.close(letterId(customerId), to, at)).toBe(true);
  };

  test('stays as it is when the month is billed again, and when its run ends; opened again it is billed', async () => {
    const customerId = 'cus_left';
    const order = { customerId, month, runId };
    await store(customerId, '2026-02-28', 7n);
    const { prepareBill, completeBill, failBill, checkBills, told } = activities();
    await prepareBill(order);
    await services.ledger.layAside(identifierOf(customerId), 'parked', 'x', now().toISOString());
    await failBill({ ...order, error: 'retries ran out' });
    await discardOf(customerId);
    told.announced.length = 0;
    const before = [
      await billOf(customerId),
      await services.ledger.get(identifierOf(customerId)),
      await services.deadLetters.get(letterId(customerId)),
    ];
    expect(await prepareBill(order)).toEqual({ state: 'left', bytes: '7' });
    await failBill({ ...order, error: 'retries ran out' });
    expect(await checkBills({ month, runs: [{ customerId, runId }] })).toEqual([
      { customerId, state: 'skipped', bytes: '7' },
    ]);
    expect([
      await billOf(customerId),
      await services.ledger.get(identifierOf(customerId)),
      await services.deadLetters.get(letterId(customerId)),
    ]).toEqual(before);
    expect(told.announced).toEqual([]);

    expect(await services.deadLetters.reopen(letterId(customerId), now().toISOString())).toBe(true);
    expect(await prepareBill(order)).toEqual({ state: 'waiting', bytes: '7' });
    expect(told.announced).toEqual([identifierOf(customerId)]);
    await deliver(customerId);
    await completeBill(order);
    expect(await billOf(customerId)).toMatchObject({ billingStatus: 'billed' });
    expect(await services.deadLetters.get(letterId(customerId))).toMatchObject({
      status: 'redriven',
    });
  });

  test('that failed before it had any figures is not tried again either', async () => {
    const order = { customerId: 'cus_unfigured', month, runId };
    const { prepareBill, failBill, checkBills } = activities();
    await failBill({ ...order, error: 'no snapshot' });
    await discardOf(order.customerId);
    await store(order.customerId, '2026-02-28', 7n);
    expect(await prepareBill(order)).toEqual({ state: 'left', bytes: '0' });
    expect(await checkBills({ month, runs: [order] })).toMatchObject([{ state: 'skipped' }]);
    expect(await billOf(order.customerId)).toBeUndefined();
    expect(await services.deadLetters.get(letterId(order.customerId))).toMatchObject({
      status: 'discarded',
    });
  });
});

describe('SB25 Stripe refuses a bill’s usage after it was billed', () => {
  const reason = 'Stripe refused it later: meter_event_no_customer_defined';
  const billed = async (customerId: string, changes: Partial<Dependencies> = {}) => {
    const order = { customerId, month, runId };
    for (const date of daysOf(month).slice(-3)) await store(customerId, date, 7n);
    const made = activities(changes);
    await made.prepareBill(order);
    await deliver(customerId);
    return { ...made, order };
  };
  const refuse = async (deps: Dependencies, customerId: string): Promise<void> => {
    const usage = await services.ledger.get(identifierOf(customerId));
    if (usage === undefined) throw new Error('no usage');
    await refuseLater(deps, usage, 1, reason);
  };
  const statuses = async (customerId: string) =>
    (await services.storageDaily.ofMonth(customerId, month)).map((row) => row.billingStatus);
  const pendingDays = ['pending', 'pending', 'pending'];
  const isUndone = async (customerId: string): Promise<void> => {
    expect(await statuses(customerId)).toEqual(pendingDays);
    const bill = await billOf(customerId);
    expect(bill).toMatchObject({
      billingStatus: 'failed',
      stripeMeterStatus: 'failed',
      notes: expect.stringContaining(reason) as string,
    });
    expect(bill).not.toHaveProperty('stripeMeterSentAt');
    expect(await services.deadLetters.get(`storage-bill/${customerId}/${month}`)).toMatchObject({
      status: 'open',
      error: reason,
    });
  };

  test('the bill is `failed`, its days `pending`, a letter says why; billed again it ends as billed', async () => {
    const { deps, order, prepareBill, completeBill } = await billed('cus_refused');
    await completeBill(order);
    for (const _again of [1, 2]) {
      await refuse(deps, 'cus_refused');
      await isUndone('cus_refused');
    }
    expect(await prepareBill(order)).toEqual({ state: 'waiting', bytes: '7' });
    await deliver('cus_refused');
    await completeBill(order);
    expect(await statuses('cus_refused')).toEqual(['billed', 'billed', 'billed']);
    const bill = await billOf('cus_refused');
    expect(bill).toMatchObject({ billingStatus: 'billed', stripeMeterStatus: 'success' });
    expect(bill).not.toHaveProperty('notes');
  });

  test('while its days are being marked: whoever writes last, it ends as refused', async () => {
    for (const moment of ['a day', 'the bill']) {
      const customerId = `cus_while_${moment.replace(' ', '_')}`;
      const { deps, order } = await billed(customerId);
      let isRefused = false;
      const once = async (): Promise<void> => {
        if (isRefused) return;
        isRefused = true;
        await refuse(deps, customerId);
      };
      const { completeBill } = activities({
        storageDaily: {
          ...services.storageDaily,
          markBilled: async (...args) => {
            if (moment === 'a day' && args[0].date === '2026-02-27') await once();
            return await services.storageDaily.markBilled(...args);
          },
        },
        storageMonthly: {
          ...services.storageMonthly,
          put: async (bill) => {
            if (moment === 'the bill') await once();
            return await services.storageMonthly.put(bill);
          },
        },
      });
      await expect(completeBill(order)).rejects.toMatchObject({ type: 'Refused' });
      await isUndone(customerId);
    }
  });

  test.each(['the letter', 'the days', 'the bill'])(
    'dying at %s and running again ends it',
    async (step) => {
      const customerId = `cus_dies_${step.slice(4)}`;
      const { deps, order, completeBill } = await billed(customerId);
      await completeBill(order);
      const dies = async (): Promise<never> => await Promise.reject(new Error('died'));
      const broken = {
        'the letter': {
          deadLetters: {
            ...services.deadLetters,
            open: async (...args: Parameters<typeof services.deadLetters.open>) => {
              if (args[0].kind === 'storage-bill') await dies();
              await services.deadLetters.open(...args);
            },
          },
        },
        'the days': { storageDaily: { ...services.storageDaily, markRefused: dies } },
        'the bill': { storageMonthly: { ...services.storageMonthly, refuse: dies } },
      }[step];
      await expect(refuse({ ...deps, ...broken }, customerId)).rejects.toThrow('died');
      await refuse(deps, customerId);
      await isUndone(customerId);
    },
  );
});

test('SB23 a bill names the days that were measured late', async () => {
  await store('cus_late', '2026-02-27', 7n);
  const late = snapshotOf('cus_late', '2026-02-28', { bytes: 9n, files: 1 }, nothingStored);
  await services.storageDaily.put(late, now().toISOString());
  const { prepareBill } = activities();
  await prepareBill({ customerId: 'cus_late', month, runId });
  expect(await billOf('cus_late')).toMatchObject({
    lateDays: ['2026-02-28'],
    notes: 'measured late: 1 day(s): 2026-02-28',
    averageStorageBytes: '8',
  });
});

test('SB9 pages of customers: each once, whatever the page, and where the last one ends', async () => {
  const other = '2026-01';
  const ids = Array.from({ length: 23 }, (_, index) => `cus_page${index}`).toSorted();
  for (const id of ids) for (const day of ['03', '17']) await store(id, `${other}-${day}`, 1n);
  const { listBillable } = activities();
  for (const limit of [1, 5, 22, 23, 24]) {
    const found: string[] = [];
    for (let more = true; more;) {
      const order = { month: other, after: found.at(-1) ?? '', limit };
      const page = await listBillable(order);
      expect(page.customerIds.length).toBeLessThanOrEqual(limit);
      found.push(...page.customerIds);
      more = page.more;
    }
    expect({ limit, found }).toEqual({ limit, found: ids });
  }
});
