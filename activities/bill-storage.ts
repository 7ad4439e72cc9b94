/** Which customers are billed for a month, and how a bill begins; how it ends is in `settle-bill.ts`. */
import { BillingError } from '../domain/errors.ts';
import { storageIdentifier, storageSource } from '../domain/ids.ts';
import { lastSecondOf } from '../domain/period.ts';
import { planBill } from '../domain/bill-plan.ts';
import type { BillFigures } from '../domain/bill-plan.ts';
import { billNotes, checkBillableMonth, monthFigures } from '../domain/storage.ts';
import type { UsageRecord } from '../domain/usage.ts';
import type { StorageBill } from '../tables/storage-monthly.ts';
import type { Dependencies } from './dependencies.ts';
import { billLetterId } from './settle-bill.ts';
import type { BillOrder, BillRunOrder } from './settle-bill.ts';

type OpenBill = Omit<StorageBill, 'ttl'>;

/**
 * `waiting`: announced to the delivery. `delivered`: Stripe has it, the days are to be marked. `billed`:
 * nothing is left to do, for another run did it, and `closed`: for this one did, in a task whose result was
 * lost. `left`: its dead letter was discarded, nothing is done.
 */
export interface Prepared {
  state: 'billed' | 'closed' | 'left' | 'waiting' | 'delivered';
  bytes: string;
}

/** Refuses a month that is not over, or too old for Stripe, before anything is written (SB18). */
export function checkMonth(deps: Dependencies, month: string): void {
  checkBillableMonth(month, deps.now().getTime());
}

/** The next customers with rows in the month, in order of their ids. */
export async function listBillable(
  deps: Dependencies,
  order: { month: string; after: string; limit: number },
): Promise<{ customerIds: string[]; more: boolean }> {
  const customerIds: string[] = [];
  for await (const { customerId } of deps.storageDaily.customersOfMonth(order.month, order.after)) {
    if (customerIds.length === order.limit) return { customerIds, more: true };
    customerIds.push(customerId);
  }
  return { customerIds, more: false };
}

/**
 * Carries out `planBill`: works out a customer's month, writes the bill as `pending`, records the usage
 * and announces it. What was recorded before stays as it is: the ledger never takes another quantity
 * for the same month.
 */
export async function prepareBill(deps: Dependencies, order: BillRunOrder): Promise<Prepared> {
  const { customerId, month } = order;
  const [earlier, recorded, letter] = await Promise.all([
    deps.storageMonthly.get(customerId, month),
    deps.ledger.get(storageIdentifier(customerId, month)),
    deps.deadLetters.get(billLetterId(order)),
  ]);
  const plan = planBill({
    month,
    nowMs: deps.now().getTime(),
    bill: earlier?.billingStatus,
    usage: recorded?.state,
    letter: letter?.status,
  });
  const bytes = earlier?.averageStorageBytes ?? '0';
  if (plan.action === 'skip') return { state: closedBy(earlier, order), bytes };
  if (plan.action === 'leave') return { state: 'left', bytes };
  const bill = await openBill(deps, order, plan.figures, earlier);
  if (!(await deps.storageMonthly.put(bill))) {
    const stands = await deps.storageMonthly.get(customerId, month);
    return { state: closedBy(stands, order), bytes: bill.averageStorageBytes };
  }
  const usage = await recordUsage(deps, bill);
  return { state: await announce(deps, usage), bytes: usage.quantity };
}

function closedBy(bill: StorageBill | undefined, { runId }: BillRunOrder): 'billed' | 'closed' {
  return bill?.billedBy === runId ? 'closed' : 'billed';
}

async function openBill(
  deps: Dependencies,
  order: BillOrder,
  figures: BillFigures,
  earlier: StorageBill | undefined,
): Promise<OpenBill> {
  return figures === 'kept' && earlier !== undefined
    ? asPending(earlier)
    : await workOut(deps, order);
}

async function recordUsage(deps: Dependencies, bill: OpenBill): Promise<UsageRecord> {
  const { customerId, billingMonth: month } = bill;
  return await deps.ledger.record(
    {
      identifier: storageIdentifier(customerId, month),
      customerId,
      meter: 'storage-usage',
      quantity: bill.averageStorageBytes,
      occurredAt: lastSecondOf(month),
      source: storageSource(customerId, month),
    },
    deps.now().toISOString(),
  );
}

/** A delivery that had ended begins once more: that is what billing a month again is for (SB15). */
async function announce(deps: Dependencies, usage: UsageRecord): Promise<'waiting' | 'delivered'> {
  if (usage.state === 'delivered') return 'delivered';
  if (usage.state === 'rejected' || usage.state === 'parked') {
    await deps.ledger.requeue(usage, deps.now().toISOString());
  }
  await deps.signals.announceUsage(usage);
  return 'waiting';
}

async function workOut(deps: Dependencies, { customerId, month }: BillOrder): Promise<OpenBill> {
  const days = await deps.storageDaily.ofMonth(customerId, month);
  if (days.length === 0) {
    throw new BillingError('not_found', `${customerId} has no snapshot in ${month}`);
  }
  const figures = monthFigures(month, days, deps.averageOver);
  deps.metrics.missingDays.inc(figures.missingDays.length);
  const notes = billNotes(figures);
  return {
    customerId,
    billingMonth: month,
    ...figures,
    averageOver: deps.averageOver,
    countedDays: days.map(({ date }) => date),
    stripeMeterStatus: 'pending',
    stripeMeterAmount: figures.averageStorageBytes,
    stripeMeterEventId: storageIdentifier(customerId, month),
    calculatedAt: deps.now().toISOString(),
    billingStatus: 'pending',
    ...(notes === undefined ? {} : { notes }),
  };
}

function asPending(bill: StorageBill): OpenBill {
  const { ttl: _ttl, notes: _notes, ...rest } = bill;
  const notes = billNotes(bill);
  return {
    ...rest,
    stripeMeterStatus: 'pending',
    billingStatus: 'pending',
    ...(notes === undefined ? {} : { notes }),
  };
}
