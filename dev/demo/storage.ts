/** The demo's second half: last month's storage, measured day by day by the schedule, then billed. */
import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Client } from '@temporalio/client';
import { inputKey } from '../../domain/files.ts';
import { storageIdentifier } from '../../domain/ids.ts';
import { dayOf, daysOf, previousMonth } from '../../domain/period.ts';
import { backfillSchedule } from '../../platform/schedules.ts';
import { createEngine } from '../../engine/engine.ts';
import type { StorageDaily } from '../../tables/storage-daily.ts';
import type { StorageBill, StorageMonthly } from '../../tables/storage-monthly.ts';
import type { StripeControl } from '../../stripe-double/control.ts';
import type { DemoCustomer } from './customers.ts';

export interface StorageDemo {
  temporal: Client;
  taskQueue: string;
  s3: S3Client;
  bucket: string;
  storageDaily: StorageDaily;
  storageMonthly: StorageMonthly;
  stripe: StripeControl;
  now: () => Date;
  report: (line: string) => void;
}

/** A customer's bill, as our table and as Stripe have it; bytes as digits. */
export interface StorageSums {
  customerId: string;
  name: string;
  month: string;
  days: number;
  averageBytes: string;
  peakBytes: string;
  billed: boolean;
  stripeBytes: string;
}

export function isBilledEqually(sums: StorageSums): boolean {
  return sums.billed && sums.averageBytes === sums.stripeBytes;
}

const patienceMs = 180_000;
/** Between these parts of the month every customer stores something more. */
const parts = 3;

/** Once a month is billed it stays so: a later start shows it and does nothing. */
export async function runStorageDemo(
  demo: StorageDemo,
  customers: readonly DemoCustomer[],
): Promise<StorageSums[]> {
  const month = previousMonth(dayOf(demo.now().getTime()));
  const bills = async (): Promise<(StorageBill | undefined)[]> =>
    await Promise.all(
      customers.map(async ({ customerId }) => await demo.storageMonthly.get(customerId, month)),
    );
  const before = await bills();
  if (before.some((bill) => bill?.billingStatus !== 'billed')) {
    await measureMonth(demo, customers, month);
    demo.report(`billing ${month}`);
    const engine = createEngine(demo.temporal, { taskQueue: demo.taskQueue });
    const workflowId = await engine.startMonth({ month });
    await demo.temporal.workflow.getHandle(workflowId).result();
  }
  const after = await bills();
  return await Promise.all(
    customers.map(async (customer, index) => await sumsOf(demo, customer, month, after[index])),
  );
}

async function measureMonth(
  demo: StorageDemo,
  customers: readonly DemoCustomer[],
  month: string,
): Promise<void> {
  const days = daysOf(month);
  const size = Math.ceil(days.length / parts);
  for (let part = 0; part < parts; part += 1) {
    const measured = days.slice(part * size, (part + 1) * size);
    const [from = month, to = month] = [measured[0], measured.at(-1)];
    for (const [index, { customerId }] of customers.entries()) {
      const Key = inputKey(customerId, `archive/part-${part + 1}.log`);
      const Body = `archived in ${month}\n`.repeat(2000 * (index + 1) * (part + 1));
      await demo.s3.send(new PutObjectCommand({ Bucket: demo.bucket, Key, Body }));
    }
    demo.report(`measuring ${from} to ${to} by the schedule daily-storage`);
    await backfillSchedule(demo.temporal, 'daily-storage', { from, to });
    await untilMeasured(demo, customers, month, days.slice(0, (part + 1) * size).length);
  }
}

async function untilMeasured(
  demo: StorageDemo,
  customers: readonly DemoCustomer[],
  month: string,
  days: number,
): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  for (const { customerId } of customers) {
    for (;;) {
      const rows = await demo.storageDaily.ofMonth(customerId, month);
      if (rows.length >= days) break;
      if (performance.now() > deadlineMs) {
        throw new Error(`only ${rows.length} of ${days} days of ${customerId} were measured`);
      }
      demo.report(`measured ${rows.length} of ${daysOf(month).length} days of ${month}`);
      await delay(250);
    }
  }
}

async function sumsOf(
  { stripe }: StorageDemo,
  { customerId, name }: DemoCustomer,
  month: string,
  bill: StorageBill | undefined,
): Promise<StorageSums> {
  const identifier = storageIdentifier(customerId, month);
  const received = await stripe.events({ identifier });
  return {
    customerId,
    name,
    month,
    days: bill?.totalStorageDays ?? 0,
    averageBytes: bill?.averageStorageBytes ?? '0',
    peakBytes: bill?.peakStorageBytes ?? '0',
    billed: bill?.billingStatus === 'billed',
    stripeBytes: String(received.reduce((sum, event) => sum + BigInt(event.value), 0n)),
  };
}
