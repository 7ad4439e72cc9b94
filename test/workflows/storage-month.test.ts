/** The month on real parts: two runs at once, Stripe that is busy, and what the figures become. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { daysOf } from '../../domain/period.ts';
import { snapshotOf } from '../../domain/storage.ts';
import { startAs } from '../support/start.ts';
import type { BillStorageProgress } from '../../domain/storage-runs.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startTestTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';

/** On the 1st of April 2026 March is billed, and February still may be. */
const today = Date.parse('2026-04-01T02:30:00.000Z');
const billPath = '/v1/billing/meter_events';
let services: Services;
let temporal: BareTemporal;
beforeAll(async () => {
  services = await startServices();
  await services.control.setClock(today, { ticking: true });
  const offsetMs = today - Date.now();
  const changes: Partial<Dependencies> = { now: () => new Date(Date.now() + offsetMs) };
  temporal = await startTestTemporal(services, changes);
});
afterAll(async () => {
  await temporal.stop();
  await services.stop();
});

/** A customer with these bytes on these days. */
async function customerWith(customerId: string, bytes: (day: number) => bigint, days: string[]) {
  await services.control.createCustomer({ id: customerId });
  for (const [index, date] of days.entries()) {
    const input = { bytes: bytes(index), files: 1 };
    const snapshot = snapshotOf(customerId, date, input, { bytes: 0n, files: 0 });
    await services.storageDaily.put(snapshot, `${date}T01:00:00.000Z`);
  }
}

async function bill(month: string, workflowId?: string): Promise<BillStorageProgress> {
  if (workflowId === undefined) {
    const id = await temporal.engine.startMonth({ month });
    const progress: unknown = await temporal.client.workflow.getHandle(id).result();
    return progress as BillStorageProgress;
  }
  const run = { taskQueue, workflowId };
  const handle = await startAs(temporal.client, run, 'billStorage', { month, window: 7 });
  return await handle.result();
}

const eventsOf = async (customer: string) =>
  (await services.control.events({ customer })).map(({ identifier, value }) => [identifier, value]);

test('SB15 SB17 the same month twice at once: each customer once, in one of the two results', async () => {
  const month = '2026-02';
  const customers = Array.from({ length: 30 }, (_, index) => `cus_two${index}`);
  for (const [index, id] of customers.entries()) {
    await customerWith(id, () => BigInt(index + 1), daysOf(month).slice(0, 2));
  }
  const results = await Promise.all([bill(month, 'one'), bill(month, 'two')]);
  for (const { billed, failed, skipped, running } of results) {
    expect([billed + skipped, failed, running]).toEqual([30, 0, 0]);
  }
  expect(results.reduce((sum, { billed }) => sum + billed, 0)).toBe(30);
  expect(results.reduce((sum, { bytes }) => sum + BigInt(bytes), 0n)).toBe(465n);
  for (const [index, id] of customers.entries()) {
    expect(await eventsOf(id)).toEqual([[`storage-${id}-${month}`, String(index + 1)]]);
    const bytes = { averageStorageBytes: String(index + 1), billingStatus: 'billed' };
    expect(await services.storageMonthly.get(id, month)).toMatchObject(bytes);
  }
  expect(await bill(month)).toMatchObject({ billed: 0, failed: 0, skipped: 30, bytes: '0' });
});

test('SB10 SB14 SB16 nothing stored, missing days, Stripe busy for a while, and for too long', async () => {
  const month = '2026-03';
  const days = daysOf(month);
  const some = days.filter((_, index) => index >= 9 && index % 10 !== 0);
  await customerWith('cus_zero', () => 0n, days);
  await customerWith('cus_gaps', (day) => 2n ** 46n + BigInt(day), some);
  await customerWith('cus_busy', () => 5n, days);
  await customerWith('cus_stuck', () => 6n, days);
  const busy = { kind: 'rate_limit', path: billPath } as const;
  const identifierOf = (id: string): string => `storage-${id}-${month}`;
  await services.control.fault({
    ...busy,
    times: 2,
    where: { identifier: identifierOf('cus_busy') },
  });
  const stuck = { identifier: identifierOf('cus_stuck') };
  await services.control.fault({ ...busy, times: null, where: stuck });

  expect(await bill(month)).toMatchObject({ billed: 3, failed: 1, skipped: 0 });
  expect(await eventsOf('cus_zero')).toEqual([]);
  const nothing = { averageStorageBytes: '0', totalStorageDays: 31, billingStatus: 'billed' };
  expect(await services.storageMonthly.get('cus_zero', month)).toMatchObject(nothing);

  const missing = days.filter((date) => date > '2026-03-10' && !some.includes(date));
  const sum = some.reduce((total, _, day) => total + 2n ** 46n + BigInt(day), 0n);
  const gaps = await services.storageMonthly.get('cus_gaps', month);
  expect(gaps).toMatchObject({
    dailyUsageSum: String(sum),
    totalStorageDays: some.length,
    missingDays: missing,
    notes: `no snapshot on ${missing.length} day(s): ${missing.join(', ')}`,
  });
  expect(await eventsOf('cus_gaps')).toEqual([
    [identifierOf('cus_gaps'), gaps?.averageStorageBytes],
  ]);

  expect(await services.ledger.get(identifierOf('cus_busy'))).toMatchObject({
    state: 'delivered',
    attempts: 3,
  });
  const failed = await services.storageMonthly.get('cus_stuck', month);
  expect(failed).toMatchObject({ billingStatus: 'failed', stripeMeterStatus: 'failed' });
  expect(failed?.notes).toContain('429');
  expect(await services.ledger.get(identifierOf('cus_stuck'))).toMatchObject({
    state: 'pending',
    attempts: 4,
  });
  const rows = await services.storageDaily.ofMonth('cus_stuck', month);
  expect(rows.map(({ billingStatus }) => billingStatus)).toEqual(days.map(() => 'pending'));
  expect(await services.deadLetters.get(`storage-bill/cus_stuck/${month}`)).toMatchObject({
    status: 'open',
    customerId: 'cus_stuck',
  });

  await services.control.clearFaults();
  expect(await bill(month)).toMatchObject({ billed: 1, failed: 0, skipped: 3, bytes: '6' });
  expect(await eventsOf('cus_stuck')).toEqual([[identifierOf('cus_stuck'), '6']]);
  expect(await eventsOf('cus_busy')).toEqual([[identifierOf('cus_busy'), '5']]);
});
