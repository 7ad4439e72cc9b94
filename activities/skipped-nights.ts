/** Nights on which nobody was measured are told the morning after (SB21). */
import { deadLetterId } from '../domain/ids.ts';
import { dayOf, daysBetween } from '../domain/period.ts';
import { openDeadLetter } from './dead-letter.ts';
import type { Dependencies } from './dependencies.ts';

const dayMs = 86_400_000;
/** A month can be billed until 35 days after it, so that long a lost night matters. */
const lookBackDays = 35;

/**
 * A day before this one, and after one that was measured, of which nobody has a row: it was skipped, and
 * what was stored then is not known any more. It gets a dead letter, once.
 */
export async function nameSkippedNights(deps: Dependencies, day: string): Promise<void> {
  const lastMs = Date.parse(day) - dayMs;
  const days = daysBetween(dayOf(lastMs - (lookBackDays - 1) * dayMs), dayOf(lastMs));
  const measured: boolean[] = [];
  for (const one of days) measured.push(await deps.storageDaily.hasDay(one));
  const first = measured.indexOf(true);
  if (first === -1) return;
  for (const [index, skipped] of days.entries()) {
    if (index > first && measured[index] === false) await layAsideNight(deps, skipped);
  }
}

async function layAsideNight(deps: Dependencies, day: string): Promise<void> {
  const id = deadLetterId('storage-night', day);
  // One that a person has closed stays closed.
  if ((await deps.deadLetters.get(id)) !== undefined) return;
  const error = `no customer was measured on ${day}: the night was skipped`;
  const letter = { id, kind: 'storage-night', subject: { day }, customerId: '' } as const;
  await openDeadLetter(deps, { ...letter, error, attempts: 1, record: { day } });
  deps.metrics.skippedNights.inc();
  deps.logger.error({ day }, error);
}
