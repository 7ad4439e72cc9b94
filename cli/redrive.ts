/**
 * Closing a dead letter of usage (DL9). A redrive is three steps, each of which may be the last one
 * before a crash; running it again takes up where it ended:
 *
 * 1. `requeue`: rejected or parked → pending. From here on the sweeper would find the record by itself.
 * 2. `announce`: tells its delivery, so that it goes at once. Twice is once: the delivery reads the ledger.
 * 3. `close`: the letter is redriven. It stays open until all else is done, since open ones are seen.
 */
import type { DeadLetter } from '../domain/dead-letters.ts';
import { BillingError } from '../domain/errors.ts';
import { printable } from '../domain/ids.ts';
import type { DeliveryState, UsageRecord } from '../domain/usage.ts';
import type { DeadLetters } from '../tables/dead-letters.ts';
import type { UsageLedger } from '../tables/usage-ledger.ts';

export interface RedriveDependencies {
  ledger: Pick<UsageLedger, 'get' | 'requeue'>;
  deadLetters: Pick<DeadLetters, 'get' | 'close'>;
  announce: (usage: UsageRecord) => Promise<void>;
  now: () => Date;
}

export interface Redriven {
  id: string;
  identifier: string;
  /** `again`: it was laid aside once more while we worked, and its letter is open. */
  outcome: 'redriven' | 'already-redriven' | 'again';
  /** Where the record stood when the redrive ended its part. */
  state: DeliveryState;
}

/** Throws BillingError `not_found`, or `conflict` for a letter that was discarded. */
export async function redrive(deps: RedriveDependencies, id: string): Promise<Redriven> {
  const letter = await findLetter(deps, id);
  if (letter.status === 'discarded') {
    const when = `was discarded on ${letter.updatedAt}: ${letter.discardReason ?? 'no reason'}`;
    throw new BillingError('conflict', `dead letter ${id} ${when}`);
  }
  const record = await findRecord(deps, letter);
  const aside = isLaidAside(record);
  const identifier = letter.subject;
  if (letter.status === 'redriven' && !aside) {
    return { id, identifier, outcome: 'already-redriven', state: record.state };
  }
  // A letter that says redriven over a record that lies aside is put right by going on all the same.
  const requeued = aside ? await deps.ledger.requeue(record, deps.now().toISOString()) : undefined;
  const current = requeued ?? (await findRecord(deps, letter));
  if (isUndelivered(current)) await deps.announce(current);
  const outcome = await closeUnlessReopened(deps, letter);
  return { id, identifier, outcome, state: current.state };
}

/**
 * The delivery may be quicker than we are and lay the record aside again: then the letter was written
 * anew, and closing it would hide it.
 */
async function closeUnlessReopened(
  deps: RedriveDependencies,
  letter: DeadLetter,
): Promise<'redriven' | 'again'> {
  const current = await findLetter(deps, letter.id);
  if (current.updatedAt !== letter.updatedAt && current.status === 'open') return 'again';
  await deps.deadLetters.close(letter.id, { status: 'redriven' }, deps.now().toISOString());
  return 'redriven';
}

/**
 * Closes a letter for good with a reason; its row stays. BillingError `conflict` when it is closed
 * already, or when a redrive has begun: that usage will be billed, whatever the letter says.
 */
export async function discard(
  deps: Pick<RedriveDependencies, 'deadLetters' | 'ledger' | 'now'>,
  id: string,
  reason: string,
): Promise<DeadLetter> {
  const letter = await findLetter(deps, id);
  const record = await findRecord(deps, letter);
  if (letter.status === 'open' && !isLaidAside(record)) {
    throw new BillingError(
      'conflict',
      `its usage is ${record.state}, so a redrive has begun: \`durabill dead-letters redrive ${id}\` ends it`,
    );
  }
  const now = deps.now().toISOString();
  const closed = await deps.deadLetters.close(id, { status: 'discarded', reason }, now);
  const stands = await findLetter(deps, id);
  if (closed) return stands;
  throw new BillingError('conflict', `dead letter ${id} is not open: it is ${stands.status}`);
}

async function findLetter(
  deps: Pick<RedriveDependencies, 'deadLetters'>,
  id: string,
): Promise<DeadLetter> {
  const letter = await deps.deadLetters.get(id);
  if (letter !== undefined) return letter;
  throw new BillingError('not_found', `no dead letter "${printable(id)}"`);
}

async function findRecord(
  deps: Pick<RedriveDependencies, 'ledger'>,
  letter: DeadLetter,
): Promise<UsageRecord> {
  const record = await deps.ledger.get(letter.subject);
  if (record !== undefined) return record;
  throw new BillingError('conflict', `the ledger has no usage record ${letter.subject}`);
}

function isLaidAside({ state }: UsageRecord): boolean {
  return state === 'rejected' || state === 'parked';
}

function isUndelivered({ state }: UsageRecord): boolean {
  return state === 'pending' || state === 'sending';
}
