/** How a usage record is shown to people. */
import { deadLetterKinds } from '../../domain/dead-letters.ts';
import type { DeadLetter } from '../../domain/dead-letters.ts';
import { deadLetterId } from '../../domain/ids.ts';
import { meterEventsOf } from '../../domain/meter-events.ts';
import type { UsageRecord } from '../../domain/usage.ts';
import type { Tables } from '../../tables/open.ts';
import { count, facts, state, table, time } from '../shell/output.ts';

/** A record may have been rejected once and parked once; each is a letter of its own. */
export async function findLetters(
  { deadLetters }: Tables,
  identifier: string,
): Promise<DeadLetter[]> {
  const letters = deadLetterKinds.map(
    async (kind) => await deadLetters.get(deadLetterId(kind, identifier)),
  );
  return (await Promise.all(letters)).filter((letter) => letter !== undefined);
}

/** Facts and the whole life (DL10). */
export function describeUsage(record: UsageRecord, letters: readonly DeadLetter[]): string {
  const utc = (iso: string | undefined) => (iso === undefined ? undefined : `${time(iso)} UTC`);
  const shown = facts([
    ['usage', record.identifier],
    ['customer', record.customerId],
    ['meter', record.meter],
    ['quantity', count(record.quantity)],
    ['occurred', utc(record.occurredAt)],
    ['source', `${record.source.kind} ${record.source.id}`],
    ['state', state(record.state)],
    ['meter events', meterEventsText(record)],
    ['attempts', count(record.attempts)],
    ['first attempt', utc(record.firstAttemptAt)],
    ['next attempt', utc(record.nextAttemptAt)],
    ['delivered', utc(record.deliveredAt)],
    ['error', record.error],
    ...letters.map(
      (letter) => ['dead letter', `${letter.id} (${state(letter.status)})`] as [string, string],
    ),
  ]);
  const life = record.life.map(({ at, what }) => [at, what]);
  return `${shown}\n\n${table([{ title: 'When (UTC)' }, { title: 'What' }], life)}`;
}

/** Of a quantity with more digits than one meter event takes (DL7). */
function meterEventsText(record: UsageRecord): string | undefined {
  const { length } = meterEventsOf(record);
  if (length < 2) return undefined;
  if (record.state === 'delivered') return `${length}, the last one ${record.identifier}.${length}`;
  return `${record.eventsSent ?? 0} of ${length} have arrived`;
}
