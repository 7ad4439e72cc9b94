/** What every redrive does with its dead letter: find it, and close it unless it was opened anew. */
import type { DeadLetter } from '../../domain/dead-letters.ts';
import { BillingError } from '../../domain/errors.ts';
import { printable } from '../../domain/ids.ts';
import type { DeadLetters } from '../../tables/dead-letters.ts';

export interface LetterDependencies {
  deadLetters: Pick<DeadLetters, 'get' | 'close'>;
  now: () => Date;
}

/** Throws BillingError `not_found`. */
export async function findLetter(
  deps: { deadLetters: Pick<DeadLetters, 'get'> },
  id: string,
): Promise<DeadLetter> {
  const letter = await deps.deadLetters.get(id);
  if (letter !== undefined) return letter;
  throw new BillingError('not_found', `no dead letter "${printable(id)}"`);
}

/**
 * The work may be quicker than we are and be laid aside again: then the letter was opened anew, and
 * closing it would hide it. `letter` is as it was read before the work was begun.
 */
export async function closeUnlessReopened(
  deps: LetterDependencies,
  letter: DeadLetter,
): Promise<'redriven' | 'again'> {
  const now = deps.now().toISOString();
  if (await deps.deadLetters.close(letter.id, { status: 'redriven' }, now, letter.updatedAt)) {
    return 'redriven';
  }
  return (await findLetter(deps, letter.id)).status === 'open' ? 'again' : 'redriven';
}
