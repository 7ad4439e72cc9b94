/** The bills, the days, the ledger and Stripe's sums beside what was written (SB10 to SB13). */
import { z } from 'zod';
import type { TableStore } from '../../../tables/dynamo.ts';
import { tableSchemas } from '../../../tables/schema.ts';
import { allItems } from '../support/all-items.ts';
import type { Check } from '../support/benchmark.ts';
import type { BenchStack } from '../support/stack.ts';
import type { ExpectedBill, ExpectedBills } from './rows.ts';

const billSchema = z.looseObject({ customerId: z.string(), stripeMeterSentAt: z.string() });
const daySchema = z.looseObject({
  customerId: z.string(),
  date: z.string(),
  billedAt: z.string().optional(),
});
const usageSchema = z.looseObject({ customerId: z.string(), deliveredAt: z.string().optional() });

export async function checkMonth(
  { stripe }: BenchStack,
  tables: TableStore,
  month: string,
  expected: ExpectedBills,
): Promise<Check[]> {
  const [bills, days, usage, sums] = [
    new Troubles('monthly rows'),
    new Troubles('daily rows billed'),
    new Troubles('ledger rows'),
    new Troubles('Stripe’s sums'),
  ];
  const sentAt = new Map<string, string>();
  for await (const row of allItems(tables, tableSchemas.storageMonthly.name)) {
    const bill = billSchema.parse(row);
    sentAt.set(bill.customerId, bill.stripeMeterSentAt);
    bills.compare(bill.customerId, expectedRow(month, bill.customerId, expected), row);
  }
  for await (const row of allItems(tables, tableSchemas.storageDaily.name)) {
    const day = daySchema.parse(row);
    const { customerId, billedAt = '' } = day;
    const known = expected.get(customerId)?.days.includes(day.date) === true;
    const wanted = { billingStatus: 'billed', billedAs: `storage-${customerId}-${month}` };
    days.compare(`${customerId} ${day.date}`, known ? wanted : undefined, day);
    if (billedAt < (sentAt.get(customerId) ?? '~')) days.add(`${customerId}: marked too early`);
  }
  for await (const row of allItems(tables, tableSchemas.usageLedger.name)) {
    const record = usageSchema.parse(row);
    const bill = expected.get(record.customerId);
    usage.compare(record.customerId, bill && expectedUsage(month, record.customerId, bill), row);
  }
  for (const sum of await stripe.sums()) {
    if (sum.eventName !== 'storage-usage') continue;
    const bill = expected.get(sum.customer);
    if (bill === undefined) continue;
    sums.compare(sum.customer, { total: String(bill.average), events: 1 }, sum);
  }
  const rows = [...expected.values()].reduce((total, { days: own }) => total + own.length, 0);
  return [
    bills.check(expected.size),
    days.check(rows),
    usage.check(expected.size),
    sums.check(expected.size),
  ];
}

function expectedRow(month: string, customerId: string, expected: ExpectedBills) {
  const bill = expected.get(customerId);
  if (bill === undefined) return undefined;
  return {
    billingMonth: month,
    dailyUsageSum: String(bill.sum),
    totalStorageDays: bill.days.length,
    averageStorageBytes: String(bill.average),
    peakStorageBytes: String(bill.peak),
    missingDays: bill.missingDays,
    countedDays: bill.days,
    stripeMeterStatus: 'success',
    stripeMeterAmount: String(bill.average),
    stripeMeterEventId: `storage-${customerId}-${month}`,
    billingStatus: 'billed',
  };
}

function expectedUsage(month: string, customerId: string, bill: ExpectedBill) {
  const end = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 1) - 1000);
  return {
    identifier: `storage-${customerId}-${month}`,
    meter: 'storage-usage',
    quantity: String(bill.average),
    occurredAt: end.toISOString(),
    state: 'delivered',
    attempts: 1,
  };
}

/** What was found, and what of it is not as expected. */
class Troubles {
  readonly #what: string;
  readonly #wrong: string[] = [];
  #found = 0;

  constructor(what: string) {
    this.#what = what;
  }

  add(trouble: string): void {
    this.#wrong.push(trouble);
  }

  compare(name: string, expected: object | undefined, found: Record<string, unknown>): void {
    this.#found += 1;
    if (expected === undefined) this.add(`${name}: nobody asked for it`);
    for (const [key, value] of Object.entries(expected ?? {})) {
      const [is, wanted] = [JSON.stringify(found[key]), JSON.stringify(value)];
      if (is !== wanted) this.add(`${name}: ${key} is ${is}, not ${wanted}`);
    }
  }

  check(count: number): Check {
    if (this.#found !== count) this.add(`${this.#found} instead of ${count}`);
    const ok = this.#wrong.length === 0;
    const few = this.#wrong.slice(0, 5).join('; ');
    const detail = ok ? `${count}, all figures` : `${this.#wrong.length} wrong: ${few}`;
    return { name: `${this.#what} as expected`, ok, detail };
  }
}
