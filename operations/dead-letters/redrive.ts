/**
 * Closing dead letters (DL9, WH7), for the command line and the admin API alike; those of storage in
 * `storage.ts`, of events in `event.ts`. A redrive of usage is three steps, each of which may be the
 * last one before a crash; running it again takes up where it ended:
 *
 * 1. `requeue`: rejected or parked → pending. From here on the sweeper would find the record by itself.
 * 2. `announce`: tells its delivery, so that it goes at once. Twice is once: the delivery reads the ledger.
 * 3. `close`: the letter is redriven. It stays open until all else is done, since open ones are seen.
 */
import type { DeadLetter } from '../../domain/dead-letters.ts';
import { BillingError } from '../../domain/errors.ts';
import type { DeliveryState, UsageRecord } from '../../domain/usage.ts';
import type { UsageLedger } from '../../tables/usage-ledger.ts';
import { checkEventDiscard, redriveEvent } from './event.ts';
import type { EventRedriveDependencies, EventRedriven } from './event.ts';
import type { DeadLetters } from '../../tables/dead-letters.ts';
import { closeUnlessReopened, findLetter } from './letter.ts';
import type { LetterDependencies } from './letter.ts';
import { checkBillDiscard, redriveBill, redriveDay, redriveNight } from './storage.ts';
import type { StorageRedriveDependencies, StorageRedriven } from './storage.ts';
import { checkUnrecordedDiscard, redriveUnrecorded } from './unrecorded.ts';

export interface RedriveDependencies extends StorageRedriveDependencies, EventRedriveDependencies {
  ledger: Pick<UsageLedger, 'get' | 'record' | 'requeue'>;
  announce: (usage: UsageRecord) => Promise<void>;
}

export type Redriven = UsageRedriven | StorageRedriven | EventRedriven;

interface UsageRedriven {
  id: string;
  identifier: string;
  /** `again`: it was laid aside once more while we worked, and its letter is open. */
  outcome: 'redriven' | 'already-redriven' | 'again';
  /** Where the record stood when the redrive ended its part. */
  state: DeliveryState;
}

type DiscardDependencies = Pick<RedriveDependencies, 'ledger' | 'storageMonthly' | 'webhookEvents'>;

/**
 * One letter that a person named: that of a discarded bill is opened again first, for nothing else bills
 * that month any more (SB24). Dying in between leaves it open, and seen.
 */
export async function redriveByName(
  deps: RedriveDependencies & { deadLetters: Pick<DeadLetters, 'reopen'> },
  id: string,
): Promise<Redriven> {
  const { kind, status } = await findLetter(deps, id);
  if (kind === 'storage-bill' && status === 'discarded') {
    await deps.deadLetters.reopen(id, deps.now().toISOString());
  }
  return await redrive(deps, id);
}

/** Throws BillingError `not_found`, or `conflict` for a letter that was discarded. */
export async function redrive(deps: RedriveDependencies, id: string): Promise<Redriven> {
  const letter = await findLetter(deps, id);
  if (letter.status === 'discarded') {
    const when = `was discarded on ${letter.updatedAt}: ${letter.discardReason ?? 'no reason'}`;
    throw new BillingError('conflict', `dead letter ${id} ${when}`);
  }
  if (letter.kind === 'storage-day') return await redriveDay(deps, letter);
  if (letter.kind === 'storage-night') return await redriveNight(deps, letter);
  if (letter.kind === 'storage-bill') return await redriveBill(deps, letter);
  if (letter.kind === 'webhook-event') return await redriveEvent(deps, letter);
  if (letter.kind === 'usage-unrecorded') return await redriveUnrecorded(deps, letter);
  return await redriveUsage(deps, letter);
}

type UsageLetter = DeadLetter<'usage-rejected' | 'usage-parked'>;

async function redriveUsage(
  deps: RedriveDependencies,
  letter: UsageLetter,
): Promise<UsageRedriven> {
  const { id } = letter;
  const record = await findRecord(deps, letter);
  const aside = isLaidAside(record);
  const { identifier } = letter.subject;
  if (letter.status !== 'open' && !aside) {
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
 * Closes a letter for good with a reason; its row stays. BillingError `conflict` when it is closed
 * already, or when a redrive has begun: that usage will be billed, whatever the letter says.
 */
export async function discard(
  deps: DiscardDependencies & LetterDependencies,
  id: string,
  reason: string,
): Promise<DeadLetter> {
  const letter = await findLetter(deps, id);
  if (letter.status === 'open') await checkDiscard(deps, letter);
  const now = deps.now().toISOString();
  const to = { status: 'discarded', reason } as const;
  const closed = await deps.deadLetters.close(id, to, now, letter.updatedAt);
  const stands = await findLetter(deps, id);
  if (closed) return stands;
  if (stands.status === 'open') {
    throw new BillingError('conflict', `dead letter ${id} was opened anew: look at it once more`);
  }
  throw new BillingError('conflict', `dead letter ${id} is not open: it is ${stands.status}`);
}

/** A redrive that has begun will bill, whatever the letter says. */
async function checkDiscard(deps: DiscardDependencies, letter: DeadLetter): Promise<void> {
  if (letter.kind === 'storage-day' || letter.kind === 'storage-night') return;
  if (letter.kind === 'storage-bill') {
    await checkBillDiscard(deps, letter);
    return;
  }
  if (letter.kind === 'webhook-event') {
    await checkEventDiscard(deps, letter);
    return;
  }
  if (letter.kind === 'usage-unrecorded') {
    await checkUnrecordedDiscard(deps, letter);
    return;
  }
  const record = await findRecord(deps, letter);
  if (isLaidAside(record)) return;
  throw new BillingError(
    'conflict',
    `its usage is ${record.state}, so a redrive has begun: \`durabill dead-letters redrive ${letter.id}\` ends it`,
  );
}

async function findRecord(
  deps: Pick<RedriveDependencies, 'ledger'>,
  { subject: { identifier } }: UsageLetter,
): Promise<UsageRecord> {
  const record = await deps.ledger.get(identifier);
  if (record !== undefined) return record;
  throw new BillingError('conflict', `the ledger has no usage record ${identifier}`);
}

function isLaidAside({ state }: UsageRecord): boolean {
  return state === 'rejected' || state === 'parked';
}

function isUndelivered({ state }: UsageRecord): boolean {
  return state === 'pending' || state === 'sending';
}
