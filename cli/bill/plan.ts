/**
 * `durabill bill month --dry-run`: what the run would bill, from the same rows and the same `planBill`.
 * It reads four tables and writes nothing, anywhere.
 */
import { planBill } from '../../domain/bill-plan.ts';
import type { BillPlan } from '../../domain/bill-plan.ts';
import { deadLetterId, storageIdentifier } from '../../domain/ids.ts';
import { checkBillableMonth, monthFigures } from '../../domain/storage.ts';
import type { AverageOver } from '../../domain/storage.ts';
import type { CustomerMonth } from '../../tables/storage-daily.ts';
import type { StorageBill } from '../../tables/storage-monthly.ts';
import { dollars, storageCents } from './rows.ts';
import type { Tables } from '../../tables/open.ts';
import type { Context } from '../shell/context.ts';
import { describeFailure } from '../shell/failures.ts';
import { count, facts, humanBytes } from '../shell/output.ts';
import type { Answer } from '../shell/perform.ts';
import { RowStream } from '../shell/stream.ts';
import type { StreamColumn } from '../shell/stream.ts';

interface PlanRow {
  customerId: string;
  /** `fail`: a row of it cannot be read, so its bill will be a dead letter (SB19). */
  action: BillPlan['action'] | 'fail';
  days: number;
  averageStorageBytes: string;
  peakStorageBytes: string;
  /** What Stripe would be sent; '0' when nothing is. Digits. */
  bytesToSend: string;
  /** Cents, digits. */
  priceCents: string;
  missingDays: string[];
  /** Why it will fail. */
  problem?: string;
}

/** Missing days named to a person; `--json` has all. */
const mostDays = 3;
const columns: readonly StreamColumn[] = [
  { title: 'Customer', width: 22 },
  { title: 'Plan', width: 6 },
  { title: 'Days', width: 4, align: 'right' },
  { title: 'Average bytes', width: 19, align: 'right' },
  { title: 'Peak bytes', width: 19, align: 'right' },
  { title: 'To be sent', width: 19, align: 'right' },
  { title: 'Price', width: 10, align: 'right' },
  { title: 'Missing days', width: 12 },
];

export async function planMonth(
  context: Context,
  { month, json }: { month: string; json: boolean },
): Promise<Answer> {
  const nowMs = context.now().getTime();
  checkBillableMonth(month, nowMs);
  const averageOver = context.config.STORAGE_AVERAGE_OVER;
  const order = { month, averageOver, nowMs };
  const head = { month, averageOver, dryRun: true };
  const stream = new RowStream({ json, columns, head, rowsName: 'customers' });
  const sum = new PlanSum();
  try {
    const tables = await context.tables();
    for await (const row of planAll(tables, order)) {
      sum.add(row);
      await stream.row(row, cellsOf(row));
    }
    await stream.end({ totals: sum.totals() }, sum.describe(month));
    return { json: undefined, text: '', streamed: true };
  } catch (error) {
    if (!stream.begun) throw error;
    const { code, message } = describeFailure(error);
    await stream.end({ error: code, message }, 'The list is not complete.');
    return { json: undefined, text: '', streamed: true, failed: `error: ${message}` };
  }
}

interface Month {
  month: string;
  averageOver: AverageOver;
  nowMs: number;
}

/** Every customer with rows in the month, in order of ids, one at a time. */
async function* planAll(tables: Tables, order: Month): AsyncGenerator<PlanRow> {
  const billed = new Set<string>();
  for await (const { customerId } of tables.storageMonthly.ofMonth(order.month, 'billed')) {
    billed.add(customerId);
  }
  const begun = await findBegun(tables, order.month);
  for await (const customer of tables.storageDaily.customersOfMonth(order.month)) {
    const { customerId } = customer;
    if (customer.problem !== undefined) yield unreadable(customerId, customer.problem);
    else if (billed.has(customerId)) yield workOut(customer, order, 'skip');
    else if (begun.has(customerId)) yield await planBegun(tables, customer, order);
    else yield planFresh(customer, order);
  }
}

/** Customers whose month was tried before: it has a bill that is not billed, or a dead letter. */
async function findBegun(tables: Tables, month: string): Promise<Set<string>> {
  const begun = new Set<string>();
  for (const status of ['pending', 'failed'] as const) {
    for await (const { customerId } of tables.storageMonthly.ofMonth(month, status)) {
      begun.add(customerId);
    }
  }
  for await (const { customerId, subject } of tables.deadLetters.list('storage-bill')) {
    if (subject.month === month) begun.add(customerId);
  }
  return begun;
}

function planFresh(customer: CustomerMonth, order: Month): PlanRow {
  const { month, nowMs } = order;
  const nothing = { bill: undefined, usage: undefined, letter: undefined };
  return workOut(customer, order, planBill({ month, nowMs, ...nothing }).action);
}

async function planBegun(tables: Tables, customer: CustomerMonth, order: Month): Promise<PlanRow> {
  const { customerId } = customer;
  const { month, nowMs } = order;
  const [bill, usage, letter] = await Promise.all([
    tables.storageMonthly.get(customerId, month),
    tables.ledger.get(storageIdentifier(customerId, month)),
    tables.deadLetters.get(deadLetterId('storage-bill', customerId, month)),
  ]);
  const plan = planBill({
    month,
    nowMs,
    bill: bill?.billingStatus,
    usage: usage?.state,
    letter: letter?.status,
  });
  const isWorkedOut = 'figures' in plan && plan.figures === 'worked-out';
  if (bill === undefined || isWorkedOut) return workOut(customer, order, plan.action);
  return toRow(bill, bill.stripeMeterAmount, plan.action);
}

function workOut(
  { customerId, days }: CustomerMonth,
  { month, averageOver }: Month,
  action: PlanRow['action'],
): PlanRow {
  const figures = monthFigures(month, days, averageOver);
  return toRow({ customerId, ...figures }, figures.averageStorageBytes, action);
}

/** No figure is right for it. */
function unreadable(customerId: string, problem: string): PlanRow {
  const nothing = { totalStorageDays: 0, averageStorageBytes: '0', peakStorageBytes: '0' };
  return { ...toRow({ customerId, ...nothing, missingDays: [] }, '0', 'fail'), problem };
}

function toRow(
  figures: Pick<
    StorageBill,
    'customerId' | 'totalStorageDays' | 'averageStorageBytes' | 'peakStorageBytes' | 'missingDays'
  >,
  amount: string,
  action: PlanRow['action'],
): PlanRow {
  const bytesToSend = action === 'bill' || action === 'retry' ? amount : '0';
  return {
    customerId: figures.customerId,
    action,
    days: figures.totalStorageDays,
    averageStorageBytes: figures.averageStorageBytes,
    peakStorageBytes: figures.peakStorageBytes,
    bytesToSend,
    priceCents: storageCents(bytesToSend),
    missingDays: figures.missingDays,
  };
}

function cellsOf(row: PlanRow): string[] {
  const sends = row.action === 'bill' || row.action === 'retry';
  const more = row.missingDays.length - mostDays;
  const named = row.missingDays.slice(0, mostDays).join(', ');
  return [
    row.customerId,
    row.action,
    count(row.days),
    count(row.averageStorageBytes),
    count(row.peakStorageBytes),
    sends ? count(row.bytesToSend) : '–',
    sends ? dollars(row.priceCents) : '–',
    more > 0 ? `${named} and ${more} more` : named,
  ];
}

class PlanSum {
  #counts = { bill: 0, retry: 0, finish: 0, skip: 0, leave: 0, fail: 0 };
  #withMissingDays = 0;
  #bytes = 0n;
  #cents = 0n;

  add({ action, bytesToSend, priceCents, missingDays }: PlanRow): void {
    this.#counts[action] += 1;
    if (missingDays.length > 0) this.#withMissingDays += 1;
    this.#bytes += BigInt(bytesToSend);
    this.#cents += BigInt(priceCents);
  }

  totals() {
    return {
      ...this.#counts,
      withMissingDays: this.#withMissingDays,
      bytesToSend: String(this.#bytes),
      priceCents: String(this.#cents),
    };
  }

  describe(month: string): string {
    const { bill, retry, finish, skip, leave, fail } = this.#counts;
    const bytes = String(this.#bytes);
    return facts([
      ['month', month],
      ['would be billed', count(bill)],
      ['tried again', retry === 0 ? undefined : count(retry)],
      ['only finished', finish === 0 ? undefined : `${count(finish)} (Stripe has them already)`],
      ['skipped', `${count(skip)} (billed before)`],
      ['left alone', leave === 0 ? undefined : `${count(leave)} (dead letter discarded)`],
      [
        'will fail',
        fail === 0 ? undefined : `${count(fail)} (a row cannot be read; --json says which)`,
      ],
      ['missing days', `${count(this.#withMissingDays)} customer(s)`],
      ['to be sent', `${count(bytes)} bytes (${humanBytes(bytes)})`],
      ['price', dollars(String(this.#cents))],
      ['dry run', 'nothing was written or sent'],
    ]);
  }
}
