/** Opens dead letters: the one place, so that each is counted and told of (GA16). */
import type { NewDeadLetter } from '../domain/dead-letters.ts';
import type { Dependencies } from './dependencies.ts';

/**
 * `stands`: asked once the letter is open, and answered; false for one whose work was done after all, which nobody
 * need hear of. Closing it is the caller's.
 */
export async function openDeadLetter(
  deps: Dependencies,
  letter: NewDeadLetter,
  stands: () => Promise<boolean> = async () => await Promise.resolve(true),
): Promise<boolean> {
  await deps.deadLetters.open(letter, deps.now().toISOString());
  if (!(await stands())) return false;
  const { kind, id, customerId } = letter;
  deps.metrics.deadLetters.inc({ kind });
  await deps.raiseAlert({
    kind: 'dead_letter_opened',
    customerId,
    facts: { deadLetterId: id, deadLetterKind: kind },
  });
  return true;
}
