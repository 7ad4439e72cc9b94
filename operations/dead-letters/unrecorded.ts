/**
 * Usage of a completed processing that the ledger refused (FM17). It is offered once more, with the facts
 * that the letter keeps; what is refused again is said, and the letter stays open.
 */
import type { DeadLetter } from '../../domain/dead-letters.ts';
import { BillingError } from '../../domain/errors.ts';
import { conflictingFacts } from '../../domain/usage.ts';
import type { Usage, UsageRecord } from '../../domain/usage.ts';
import type { UsageLedger } from '../../tables/usage-ledger.ts';
import { closeUnlessReopened } from './letter.ts';
import type { LetterDependencies } from './letter.ts';

type UnrecordedLetter = DeadLetter<'usage-unrecorded'>;

interface UnrecordedDependencies extends LetterDependencies {
  ledger: Pick<UsageLedger, 'get' | 'record'>;
  announce: (usage: UsageRecord) => Promise<void>;
}

export async function redriveUnrecorded(deps: UnrecordedDependencies, letter: UnrecordedLetter) {
  const usage = usageOf(letter);
  const record = await deps.ledger.record(usage, deps.now().toISOString());
  if (record.state === 'pending' || record.state === 'sending') await deps.announce(record);
  const done = { id: letter.id, identifier: usage.identifier, state: record.state };
  if (letter.status === 'redriven') return { ...done, outcome: 'already-redriven' as const };
  return { ...done, outcome: await closeUnlessReopened(deps, letter) };
}

/** One whose usage stands in the ledger will be billed, whatever the letter says. */
export async function checkUnrecordedDiscard(
  { ledger }: Pick<UnrecordedDependencies, 'ledger'>,
  letter: UnrecordedLetter,
): Promise<void> {
  const usage = usageOf(letter);
  const stored = await ledger.get(usage.identifier);
  if (stored === undefined || conflictingFacts(stored, usage).length > 0) return;
  const message = `its usage is in the ledger: \`durabill dead-letters redrive ${letter.id}\` ends it`;
  throw new BillingError('conflict', message);
}

function usageOf({ id, subject, customerId, record }: UnrecordedLetter): Usage {
  const { quantity, occurredAt } = record;
  if (typeof quantity !== 'string' || typeof occurredAt !== 'string') {
    throw new BillingError('conflict', `dead letter ${id} does not hold its usage`);
  }
  const { identifier } = subject;
  const source = { kind: 'processing' as const, id: identifier };
  return { identifier, customerId, meter: 'file_processed', quantity, occurredAt, source };
}
