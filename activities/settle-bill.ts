/** How a storage bill ends: billed, failed, or refused by Stripe after it was billed. */
import pLimit from 'p-limit';
import { BillingError } from '../domain/errors.ts';
import { deadLetterId, storageIdentifier } from '../domain/ids.ts';
import { billNotes } from '../domain/storage.ts';
import type { BillRun } from '../domain/storage-runs.ts';
import type { UsageRecord } from '../domain/usage.ts';
import type { StorageBill } from '../tables/storage-monthly.ts';
import { openDeadLetter } from './dead-letter.ts';
import type { Dependencies } from './dependencies.ts';

export interface BillOrder {
  customerId: string;
  month: string;
}

/** `runId`: of the workflow that bills. */
export type BillRunOrder = BillOrder & { runId: string };

type FailedBill = BillOrder & { error: string };

const daysAtOnce = 10;

export function billLetterId({ customerId, month }: BillOrder): string {
  return deadLetterId('storage-bill', customerId, month);
}

/**
 * Stripe has it: every counted day becomes `billed`, and then the bill itself (SB13). `billed` is false when
 * another run had closed it: done again for the same run the answer is the same.
 */
export async function completeBill(
  deps: Dependencies,
  order: BillRunOrder,
): Promise<{ billed: boolean }> {
  const { customerId, month } = order;
  const usage = await deliveredUsage(deps, order);
  const bill = await deps.storageMonthly.get(customerId, month);
  if (bill === undefined)
    throw new BillingError('conflict', `${customerId} has no bill of ${month}`);
  if (bill.billingStatus !== 'billed') await markBilled(deps, order, bill, usage);
  // Stripe may have refused it while the days were marked: whoever writes last sees the other (SB25).
  await deliveredUsage(deps, order);
  const now = deps.now().toISOString();
  await deps.deadLetters.close(billLetterId(order), { status: 'redriven' }, now);
  const closed = await deps.storageMonthly.get(customerId, month);
  return { billed: closed?.billedBy === order.runId };
}

/** Throws BillingError for a bill that Stripe does not have; one that Stripe refused is undone first. */
async function deliveredUsage(deps: Dependencies, order: BillOrder): Promise<UsageRecord> {
  const identifier = storageIdentifier(order.customerId, order.month);
  const usage = await deps.ledger.get(identifier);
  if (usage?.state === 'delivered') return usage;
  if (usage?.state === 'rejected') await refuseBill(deps, usage);
  const reason = usage?.error === undefined ? '' : `: ${usage.error}`;
  throw new BillingError(
    'conflict',
    `the storage usage ${identifier} has not been delivered${reason}`,
  );
}

async function markBilled(
  deps: Dependencies,
  { customerId, month, runId }: BillRunOrder,
  bill: StorageBill,
  { identifier, deliveredAt }: UsageRecord,
): Promise<void> {
  const now = deps.now().toISOString();
  const atOnce = pLimit(daysAtOnce);
  const mark = async (date: string): Promise<boolean> =>
    await deps.storageDaily.markBilled({ customerId, date }, identifier, now);
  const marked = await Promise.all(bill.countedDays.map((date) => atOnce(mark, date)));
  if (marked.includes(false)) {
    throw new BillingError('conflict', `a day of ${customerId} in ${month} was billed otherwise`);
  }
  const { ttl: _ttl, notes: _notes, ...rest } = bill;
  const notes = billNotes(bill);
  await deps.storageMonthly.put({
    ...rest,
    stripeMeterStatus: 'success',
    ...(deliveredAt === undefined ? {} : { stripeMeterSentAt: deliveredAt }),
    billingStatus: 'billed',
    billedBy: runId,
    ...(notes === undefined ? {} : { notes }),
  });
}

/**
 * Says in the bill and in a dead letter why it failed; its days stay `pending` (SB14). A letter that a
 * person discarded stays discarded (SB24).
 */
export async function failBill(deps: Dependencies, order: FailedBill): Promise<void> {
  const { customerId, month, error } = order;
  const bill = await readable(deps.storageMonthly.get(customerId, month));
  if (bill?.billingStatus === 'billed') return;
  const letter = await deps.deadLetters.get(billLetterId(order));
  if (letter?.status !== 'discarded') await openLetter(deps, order);
  if (bill === undefined) return;
  const { ttl: _ttl, ...rest } = bill;
  await deps.storageMonthly.put({
    ...rest,
    stripeMeterStatus: 'failed',
    billingStatus: 'failed',
    notes: billNotes(bill, error) ?? error,
  });
}

/** A bill that cannot be read is a failed one too, and must not keep its dead letter from being written. */
async function readable(
  reading: Promise<StorageBill | undefined>,
): Promise<StorageBill | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof BillingError) return undefined;
    throw error;
  }
}

async function openLetter(
  deps: Dependencies,
  { customerId, month, error }: FailedBill,
): Promise<void> {
  await openDeadLetter(deps, {
    id: billLetterId({ customerId, month }),
    kind: 'storage-bill',
    subject: { month },
    customerId,
    error,
    attempts: 1,
    record: { month, identifier: storageIdentifier(customerId, month) },
  });
  deps.logger.error({ customerId, month, reason: error }, 'a storage bill failed');
}

/**
 * Stripe took a bill's usage and refused it afterwards: the bill is `failed` and its days `pending`
 * again (SB25). Called once the ledger says `rejected`; the bill comes last, so that a run which died
 * in between finds it as it was and does all of it again.
 */
export async function refuseBill(deps: Dependencies, usage: UsageRecord): Promise<void> {
  if (usage.source.kind !== 'storage') return;
  const [customerId = '', month = ''] = usage.source.id.split('/');
  const bill = await deps.storageMonthly.get(customerId, month);
  if (bill === undefined) return;
  const error = usage.error ?? 'Stripe refused the usage';
  const hasFailed = bill.billingStatus === 'failed';
  if (!hasFailed) await openLetter(deps, { customerId, month, error });
  const atOnce = pLimit(daysAtOnce);
  const unmark = async (date: string): Promise<void> => {
    await deps.storageDaily.markRefused({ customerId, date }, usage.identifier);
  };
  await Promise.all(bill.countedDays.map((date) => atOnce(unmark, date)));
  if (hasFailed) return;
  const key = { customerId, billingMonth: month };
  await deps.storageMonthly.refuse(key, billNotes(bill, error) ?? error);
}

const endedFromOutside = 'its workflow was ended from outside';

export interface BillStanding {
  customerId: string;
  state: 'running' | 'billed' | 'failed' | 'skipped';
  bytes: string;
}

/**
 * How bills stand whose workflows an earlier run of `billStorage` started: a slot is free as soon as
 * the workflow has ended, however it ended.
 */
export async function checkBills(
  deps: Dependencies,
  order: { month: string; runs: BillRun[] },
): Promise<BillStanding[]> {
  const atOnce = pLimit(10);
  const { month } = order;
  const check = async ({ customerId, runId }: BillRun): Promise<BillStanding> => {
    // The workflow first: one that ended after its bill was read would be taken for a failure.
    const running = await deps.signals.isBillRunning(customerId, month);
    const bill = await readable(deps.storageMonthly.get(customerId, month));
    const bytes = bill?.averageStorageBytes ?? '0';
    if (bill?.billingStatus === 'billed') {
      return { customerId, state: bill.billedBy === runId ? 'billed' : 'skipped', bytes };
    }
    if (running) return { customerId, state: 'running', bytes };
    const letter = await deps.deadLetters.get(billLetterId({ customerId, month }));
    if (letter?.status === 'discarded') return { customerId, state: 'skipped', bytes };
    // One that was ended from outside has not said so itself.
    if (bill?.billingStatus !== 'failed') {
      await failBill(deps, { customerId, month, error: endedFromOutside });
    }
    return { customerId, state: 'failed', bytes };
  };
  return await Promise.all(order.runs.map((run) => atOnce(check, run)));
}
