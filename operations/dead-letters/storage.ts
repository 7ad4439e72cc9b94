/**
 * Closing a dead letter of storage. Rows are the proof, not what a run said, so that a redrive which
 * died at any line is taken up by running it again:
 *
 * - a day is measured once more, and its letter closed when the day has its row;
 * - a bill is started once more, and closes its letter itself when Stripe has it (`completeBill`).
 */
import type { DeadLetter } from '../../domain/dead-letters.ts';
import { BillingError } from '../../domain/errors.ts';
import { parseCustomerId, storageIdentifier } from '../../domain/ids.ts';
import { parseDay, parseMonth } from '../../domain/period.ts';
import type { StorageDaily } from '../../tables/storage-daily.ts';
import type { StorageMonthly } from '../../tables/storage-monthly.ts';
import type { UsageLedger } from '../../tables/usage-ledger.ts';
import { closeUnlessReopened } from './letter.ts';
import type { LetterDependencies } from './letter.ts';

type BillLetter = DeadLetter<'storage-bill'>;

export interface StorageRedriveDependencies extends LetterDependencies {
  storageDaily: Pick<StorageDaily, 'get' | 'hasDay'>;
  storageMonthly: Pick<StorageMonthly, 'get'>;
  /** Starts the run, or finds it running, and waits for it; false when it is running still. */
  measureDay: (order: DayOrder) => Promise<boolean>;
  /** False when it runs already. */
  startBill: (order: { customerId: string; month: string }) => Promise<boolean>;
}

/** Without a customer: everybody's day. */
export interface DayOrder {
  customerId?: string;
  day: string;
}

export interface StorageRedriven {
  id: string;
  customerId: string;
  /** The day or the month. */
  period: string;
  /** `started`: it is under way, and not known yet how it ends. */
  outcome: 'redriven' | 'already-redriven' | 'again' | 'started';
  state: 'measured' | 'missing' | 'billed' | 'failed' | 'pending';
}

export async function redriveDay(
  deps: StorageRedriveDependencies,
  letter: DeadLetter<'storage-day'>,
): Promise<StorageRedriven> {
  const { customerId, period: day } = periodOf(letter, () => parseDay(letter.subject.day));
  const done = { id: letter.id, customerId, period: day };
  const isMeasured = async () => (await deps.storageDaily.get(customerId, day)) !== undefined;
  if (!(await isMeasured())) {
    const ended = await deps.measureDay({ customerId, day });
    if (!(await isMeasured())) {
      return { ...done, outcome: ended ? 'again' : 'started', state: 'missing' };
    }
  } else if (letter.status === 'redriven') {
    return { ...done, outcome: 'already-redriven', state: 'measured' };
  }
  return { ...done, outcome: await closeUnlessReopened(deps, letter), state: 'measured' };
}

/** A night that was skipped is measured for everybody, with what they store now. */
export async function redriveNight(
  deps: StorageRedriveDependencies,
  letter: DeadLetter<'storage-night'>,
): Promise<StorageRedriven> {
  const day = parseDay(letter.subject.day);
  const done = { id: letter.id, customerId: '', period: day };
  if (!(await deps.storageDaily.hasDay(day))) {
    const ended = await deps.measureDay({ day });
    const state = (await deps.storageDaily.hasDay(day)) ? 'measured' : 'missing';
    // Some may have their rows while others are measured still.
    if (!ended) return { ...done, outcome: 'started', state };
    if (state === 'missing') return { ...done, outcome: 'again', state };
  } else if (letter.status === 'redriven') {
    return { ...done, outcome: 'already-redriven', state: 'measured' };
  }
  return { ...done, outcome: await closeUnlessReopened(deps, letter), state: 'measured' };
}

export async function redriveBill(
  deps: StorageRedriveDependencies,
  letter: BillLetter,
): Promise<StorageRedriven> {
  const { customerId, period: month } = periodOf(letter, () => parseMonth(letter.subject.month));
  const done = { id: letter.id, customerId, period: month };
  const read = async () => await deps.storageMonthly.get(customerId, month);
  let bill = await read();
  if (bill?.billingStatus !== 'billed') {
    const started = await deps.startBill({ customerId, month });
    // One that runs may have ended meanwhile.
    if (!started) bill = await read();
    if (bill?.billingStatus !== 'billed') {
      return { ...done, outcome: 'started', state: bill?.billingStatus ?? 'missing' };
    }
  } else if (letter.status === 'redriven') {
    return { ...done, outcome: 'already-redriven', state: 'billed' };
  }
  return { ...done, outcome: await closeUnlessReopened(deps, letter), state: 'billed' };
}

/**
 * Throws BillingError `conflict` for a bill that was billed after all or is being billed, and for one
 * whose usage is on its way to Stripe still: it would be billed, whatever the letter says.
 */
export async function checkBillDiscard(
  deps: Pick<StorageRedriveDependencies, 'storageMonthly'> & { ledger: Pick<UsageLedger, 'get'> },
  letter: BillLetter,
): Promise<void> {
  const { customerId, period: month } = periodOf(letter, () => parseMonth(letter.subject.month));
  const identifier = storageIdentifier(customerId, month);
  const usage = (await deps.ledger.get(identifier))?.state;
  if (usage === 'pending' || usage === 'sending' || usage === 'delivered') {
    throw new BillingError(
      'conflict',
      `its usage ${identifier} is ${usage}: it will be billed, whatever becomes of this letter`,
    );
  }
  const status = (await deps.storageMonthly.get(customerId, month))?.billingStatus;
  if (status === undefined || status === 'failed') return;
  throw new BillingError(
    'conflict',
    `its bill is ${status}, so a redrive has begun: \`durabill dead-letters redrive ${letter.id}\` ends it`,
  );
}

/** Rows are mended by hand: what then says no customer, day or month gets a clear answer. */
function periodOf(
  { id, customerId }: DeadLetter,
  parsePeriod: () => string,
): { customerId: string; period: string } {
  try {
    return { customerId: parseCustomerId(customerId), period: parsePeriod() };
  } catch (error) {
    throw new BillingError('conflict', `dead letter ${id} does not say what it is about`, {
      cause: error,
    });
  }
}
