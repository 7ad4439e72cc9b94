/** The activities of `billStorage` and `billCustomerStorage`. */
import pLimit from 'p-limit';
import { BillingError } from '../domain/errors.ts';
import { deadLetterId, storageIdentifier, storageSource } from '../domain/ids.ts';
import { lastSecondOf } from '../domain/period.ts';
import { checkBillableMonth, missingDaysNote, monthFigures } from '../domain/storage.ts';
import type { UsageRecord } from '../domain/usage.ts';
import type { StorageBill } from '../tables/storage-monthly.ts';
import type { Dependencies } from './dependencies.ts';

export interface BillOrder {
  customerId: string;
  month: string;
}

type OpenBill = Omit<StorageBill, 'ttl'>;

/** `waiting`: announced to the delivery. `delivered`: Stripe has it, the days are to be marked. */
export type Prepared =
  | { state: 'billed'; bytes: string }
  | { state: 'waiting' | 'delivered'; bytes: string };

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
 * Works out a customer's month, writes the bill as `pending`, records the usage and announces it. What
 * was recorded before stays as it is: the ledger never takes another quantity for the same month.
 */
export async function prepareBill(deps: Dependencies, order: BillOrder): Promise<Prepared> {
  const { customerId, month } = order;
  const earlier = await deps.storageMonthly.get(customerId, month);
  if (earlier?.billingStatus === 'billed') {
    return { state: 'billed', bytes: earlier.averageStorageBytes };
  }
  const identifier = storageIdentifier(customerId, month);
  const recorded = await deps.ledger.get(identifier);
  if (recorded === undefined || earlier === undefined) checkMonth(deps, month);
  const keepsFigures = earlier !== undefined && recorded !== undefined;
  const bill = keepsFigures ? asPending(earlier) : await workOut(deps, order);
  if (!(await deps.storageMonthly.put(bill)))
    return { state: 'billed', bytes: bill.averageStorageBytes };
  const now = deps.now().toISOString();
  const usage = await deps.ledger.record(
    {
      identifier,
      customerId,
      meter: 'storage-usage',
      quantity: bill.averageStorageBytes,
      occurredAt: lastSecondOf(month),
      source: storageSource(customerId, month),
    },
    now,
  );
  return { state: await announce(deps, usage, now), bytes: usage.quantity };
}

/** What was laid aside is tried again: that is what billing a month once more is for (SB15). */
async function announce(
  deps: Dependencies,
  usage: UsageRecord,
  now: string,
): Promise<'waiting' | 'delivered'> {
  if (usage.state === 'delivered') return 'delivered';
  if (usage.state === 'rejected' || usage.state === 'parked') {
    await deps.ledger.requeue(usage, now);
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
  const notes = missingDaysNote(figures.missingDays);
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
  const notes = missingDaysNote(bill.missingDays);
  return {
    ...rest,
    stripeMeterStatus: 'pending',
    billingStatus: 'pending',
    ...(notes === undefined ? {} : { notes }),
  };
}

/** Stripe has it: every counted day becomes `billed`, and then the bill itself (SB13). */
export async function completeBill(deps: Dependencies, order: BillOrder): Promise<void> {
  const { customerId, month } = order;
  const identifier = storageIdentifier(customerId, month);
  const usage = await deps.ledger.get(identifier);
  const bill = await deps.storageMonthly.get(customerId, month);
  if (usage?.state !== 'delivered' || bill === undefined) {
    throw new BillingError('conflict', `the storage usage ${identifier} has not been delivered`);
  }
  if (bill.billingStatus !== 'billed') {
    const now = deps.now().toISOString();
    const atOnce = pLimit(10);
    const marked = await Promise.all(
      bill.countedDays.map((date) =>
        atOnce(
          async () => await deps.storageDaily.markBilled({ customerId, date }, identifier, now),
        ),
      ),
    );
    if (marked.includes(false)) {
      throw new BillingError('conflict', `a day of ${customerId} in ${month} was billed otherwise`);
    }
    const { ttl: _ttl, ...rest } = bill;
    await deps.storageMonthly.put({
      ...rest,
      stripeMeterStatus: 'success',
      ...(usage.deliveredAt === undefined ? {} : { stripeMeterSentAt: usage.deliveredAt }),
      billingStatus: 'billed',
    });
  }
  const letter = deadLetterId('storage-bill', `${customerId}/${month}`);
  await deps.deadLetters.close(letter, { status: 'redriven' }, deps.now().toISOString());
}

/** Says in the bill and in a dead letter why it failed; its days stay `pending` (SB14). */
export async function failBill(
  deps: Dependencies,
  order: BillOrder & { error: string },
): Promise<void> {
  const { customerId, month, error } = order;
  const bill = await deps.storageMonthly.get(customerId, month);
  if (bill?.billingStatus === 'billed') return;
  const now = deps.now().toISOString();
  const subject = `${customerId}/${month}`;
  await deps.deadLetters.open(
    {
      id: deadLetterId('storage-bill', subject),
      kind: 'storage-bill',
      subject,
      customerId,
      error,
      attempts: 1,
      record: { month, identifier: storageIdentifier(customerId, month) },
    },
    now,
  );
  deps.metrics.deadLetters.inc({ kind: 'storage-bill' });
  deps.logger.error({ customerId, month, reason: error }, 'a storage bill failed');
  if (bill === undefined) return;
  const { ttl: _ttl, ...rest } = bill;
  const notes = [missingDaysNote(bill.missingDays), error].filter((note) => note !== undefined);
  await deps.storageMonthly.put({
    ...rest,
    stripeMeterStatus: 'failed',
    billingStatus: 'failed',
    notes: notes.join('; '),
  });
}

const endedFromOutside = 'its workflow was ended from outside';

export interface BillStanding {
  customerId: string;
  state: 'running' | 'billed' | 'failed';
  bytes: string;
}

/**
 * How bills stand whose workflows an earlier run of `billStorage` started: a slot is free as soon as
 * the workflow has ended, however it ended.
 */
export async function checkBills(
  deps: Dependencies,
  order: { month: string; customerIds: string[] },
): Promise<BillStanding[]> {
  const atOnce = pLimit(10);
  const { month } = order;
  const check = async (customerId: string): Promise<BillStanding> => {
    // The workflow first: one that ended after its bill was read would be taken for a failure.
    const running = await deps.signals.isBillRunning(customerId, month);
    const bill = await deps.storageMonthly.get(customerId, month);
    const bytes = bill?.averageStorageBytes ?? '0';
    if (bill?.billingStatus === 'billed') return { customerId, state: 'billed', bytes };
    if (running) return { customerId, state: 'running', bytes };
    // One that was ended from outside has not said so itself.
    if (bill?.billingStatus !== 'failed') {
      await failBill(deps, { customerId, month, error: endedFromOutside });
    }
    return { customerId, state: 'failed', bytes };
  };
  return await Promise.all(order.customerIds.map((customerId) => atOnce(check, customerId)));
}
