import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inputKey, outputKey } from '../../domain/files.ts';
import { storageIdentifier, workflowIds } from '../../domain/ids.ts';
import { daysOf } from '../../domain/period.ts';
import { applySchedules, backfillSchedule } from '../../platform/schedules.ts';
import type { AggregateStorageProgress, BillStorageProgress } from '../../domain/storage-runs.ts';
import { startAs } from '../support/start.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startTestTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';

/** The tests live on the 1st of March 2026, a little after the monthly run. */
const today = new Date('2026-03-01T02:30:00.000Z');
const month = '2026-02';
const customers = ['cus_1', 'cus_10', 'cus_2'];
const billPath = '/v1/billing/meter_events';

let services: Services;
let temporal: BareTemporal;
beforeAll(async () => {
  services = await startServices();
  await services.control.setClock(today.toISOString(), { ticking: true });
  const offsetMs = today.getTime() - Date.now();
  temporal = await startTestTemporal(services, { now: () => new Date(Date.now() + offsetMs) });
  await applySchedules(temporal.client, taskQueue);
  for (const [index, customerId] of customers.entries()) {
    await services.control.createCustomer({ id: customerId });
    await services.customers.add({
      customerId,
      plan: 'free',
      billingStatus: 'none',
      createdAt: '2026-01-15T00:00:00.000Z',
    });
    await services.putFile(customerId, 'data.bin', Buffer.alloc(1000 * (index + 1)));
  }
});
afterAll(async () => {
  await temporal.stop();
  await services.stop();
});

const storageEvents = async (customer: string) =>
  await services.control.events({ customer, eventName: 'storage-usage' });

async function bill(): Promise<BillStorageProgress> {
  const workflowId = await temporal.engine.startMonth({ month });
  const progress: unknown = await temporal.client.workflow.getHandle(workflowId).result();
  return progress as BillStorageProgress;
}

async function measure(day: string): Promise<AggregateStorageProgress> {
  const workflowId = await temporal.engine.startDay({ day });
  const progress: unknown = await temporal.client.workflow.getHandle(workflowId).result();
  return progress as AggregateStorageProgress;
}

describe('February 2026 by schedule', () => {
  test('SB1 SB2 SB3 a backfill of the month writes 28 rows a customer, of their own days', async () => {
    await backfillSchedule(temporal.client, 'daily-storage', {
      from: '2026-02-01',
      to: '2026-02-28',
    });
    await expect
      .poll(async () => (await services.storageDaily.ofMonth('cus_2', month)).length, {
        timeout: 300_000,
        interval: 250,
      })
      .toBe(28);
    for (const [index, customerId] of customers.entries()) {
      const rows = await services.storageDaily.ofMonth(customerId, month);
      expect(rows.map(({ date }) => date)).toEqual(daysOf(month));
      const bytes = String(1000 * (index + 1));
      for (const row of rows) {
        expect(row).toMatchObject({
          totalStorageBytesInput: bytes,
          totalStorageBytesOutput: '0',
          totalStorageBytes: bytes,
          fileCountInput: 1,
          totalFileCount: 1,
          billingMonth: month,
          billingStatus: 'pending',
        });
      }
    }
  });

  test('SB4 the same day again gives the same row', async () => {
    const before = await services.storageDaily.get('cus_1', '2026-02-11');
    expect(await measure('2026-02-11')).toMatchObject({ customers: 3, failed: 0 });
    expect(await services.storageDaily.get('cus_1', '2026-02-11')).toEqual(before);
  });

  test('SB14 Stripe answers 500 for one customer: it failed, the others are billed', async () => {
    await services.control.fault({
      kind: 'fail_before',
      path: billPath,
      where: { identifier: 'storage-cus_10-2026-02' },
      times: null,
    });
    expect(await bill()).toMatchObject({ month, billed: 2, failed: 1, skipped: 0, bytes: '4000' });
    const failed = await services.storageMonthly.get('cus_10', month);
    expect(failed).toMatchObject({ billingStatus: 'failed', stripeMeterStatus: 'failed' });
    expect(failed?.notes).toContain('Stripe HTTP 500');
    const letter = await services.deadLetters.get('storage-bill/cus_10/2026-02');
    expect(letter).toMatchObject({ kind: 'storage-bill', status: 'open' });
    const days = await services.storageDaily.ofMonth('cus_10', month);
    expect(days.every(({ billingStatus }) => billingStatus === 'pending')).toBe(true);
    await services.control.clearFaults();
  });

  test('SB10 SB11 SB12 SB13 the billed ones: figures, one event in the last second, all days', async () => {
    for (const [customerId, bytes] of [
      ['cus_1', '1000'],
      ['cus_2', '3000'],
    ] as const) {
      const identifier = `storage-${customerId}-${month}`;
      expect(await services.storageMonthly.get(customerId, month)).toMatchObject({
        dailyUsageSum: String(BigInt(bytes) * 28n),
        totalStorageDays: 28,
        averageStorageBytes: bytes,
        peakStorageBytes: bytes,
        stripeMeterStatus: 'success',
        stripeMeterAmount: bytes,
        stripeMeterEventId: identifier,
        billingStatus: 'billed',
      });
      const events = await storageEvents(customerId);
      expect(events.map(({ identifier: id, value, timestamp }) => [id, value, timestamp])).toEqual([
        [identifier, bytes, Date.parse('2026-02-28T23:59:59Z') / 1000],
      ]);
      const days = await services.storageDaily.ofMonth(customerId, month);
      expect(days.map(({ billingStatus, billedAs }) => [billingStatus, billedAs])).toEqual(
        Array.from({ length: 28 }, () => ['billed', identifier]),
      );
    }
  });

  test('SB15 one command after recovery finishes what failed and leaves the rest alone', async () => {
    const before = await services.storageMonthly.get('cus_1', month);
    expect(await bill()).toMatchObject({ billed: 1, failed: 0, skipped: 2 });
    expect(await services.storageMonthly.get('cus_1', month)).toEqual(before);
    expect((await storageEvents('cus_10')).map(({ value }) => value)).toEqual(['2000']);
    expect((await services.storageMonthly.get('cus_10', month))?.billingStatus).toBe('billed');
    const letter = await services.deadLetters.get('storage-bill/cus_10/2026-02');
    expect(letter?.status).toBe('redriven');
  });

  test('SB4 SB15 both again: nothing at Stripe, nothing in the rows', async () => {
    const rows = async () => [
      await services.storageDaily.ofMonth('cus_10', month),
      await services.storageMonthly.get('cus_10', month),
    ];
    const before = await rows();
    await services.putFile('cus_10', 'more.bin', 'more');
    await measure('2026-02-28');
    expect(await Promise.all([bill(), bill()])).toMatchObject([
      { billed: 0, failed: 0, skipped: 3 },
      { billed: 0, failed: 0, skipped: 3 },
    ]);
    expect(await rows()).toEqual(before);
    expect(await storageEvents('cus_10')).toHaveLength(1);
  });
});

describe('refusals', () => {
  test.each([
    ['2026-03', 'is not over yet'],
    ['2025-12', 'older than the 35 days'],
    ['2026-13', 'is not a month'],
  ])('SB18 %s is refused before anything is written', async (refused, reason) => {
    const workflowId = await temporal.engine.startMonth({ month: refused });
    const failure: unknown = await temporal.client.workflow
      .getHandle(workflowId)
      .result()
      .catch((error: unknown) => error);
    expect(JSON.stringify(failure, ['cause', 'message'])).toContain(reason);
  });
});

test('SB2 SB3 2,500 objects in one prefix, folder markers, and ids that are prefixes of each other', async () => {
  const Bucket = services.config.BUCKET;
  const keys = Array.from({ length: 2500 }, (_, index) => inputKey('cus_2', `many/${index}.txt`));
  keys.push(outputKey('cus_2', 'job', 'out.txt'), outputKey('cus_10', 'job', 'out.txt'));
  for (let start = 0; start < keys.length; start += 50) {
    await Promise.all(
      keys.slice(start, start + 50).map(async (Key) => {
        await services.s3.send(new PutObjectCommand({ Bucket, Key, Body: 'four' }));
      }),
    );
  }
  const Key = inputKey('cus_1', 'empty-folder/');
  await services.s3.send(new PutObjectCommand({ Bucket, Key, Body: '' }));
  expect(await measure('2026-03-01')).toMatchObject({ customers: 3, failed: 0 });
  const row = async (customerId: string) =>
    await services.storageDaily.get(customerId, '2026-03-01');
  expect(await row('cus_2')).toMatchObject({
    totalStorageBytesInput: String(3000 + 2500 * 4),
    totalStorageBytesOutput: '4',
    fileCountInput: 2501,
    totalFileCount: 2502,
  });
  expect(await row('cus_1')).toMatchObject({ totalStorageBytes: '1000', totalFileCount: 1 });
  expect(await row('cus_10')).toMatchObject({
    totalStorageBytesInput: '2004',
    totalStorageBytesOutput: '4',
  });
});

test('SB9 the children are named after customer and month', async () => {
  const id = workflowIds.billCustomerStorage('cus_1', month);
  const { status, typedSearchAttributes } = await temporal.client.workflow.getHandle(id).describe();
  expect(status.name).toBe('COMPLETED');
  expect(typedSearchAttributes.get({ name: 'CustomerId', type: 'KEYWORD' })).toBe('cus_1');
  expect(typedSearchAttributes.get({ name: 'BillingMonth', type: 'KEYWORD' })).toBe(month);
});

test('SB15 a duplicate child that Temporal lets through ends at its bill’s row, and touches nothing', async () => {
  const [customerId, order] = ['cus_1', { customerId: 'cus_1', month }];
  const state = async () => ({
    days: await services.storageDaily.ofMonth(customerId, month),
    bill: await services.storageMonthly.get(customerId, month),
    usage: await services.ledger.get(storageIdentifier(customerId, month)),
    events: await storageEvents(customerId),
  });
  const before = await state();
  expect(before).toMatchObject({ bill: { billingStatus: 'billed' }, events: [{ value: '1000' }] });
  const own = workflowIds.billCustomerStorage(customerId, month);
  // Under its own id, whose run has ended, and under another: no id of Temporal's is in the way.
  for (const workflowId of [own, `${own}/once-more`]) {
    const run = { taskQueue, workflowId };
    const again = await startAs(temporal.client, run, 'billCustomerStorage', order);
    expect(await again.result()).toEqual({ state: 'skipped', bytes: '1000' });
  }
  expect(await state()).toEqual(before);
});
