/** How a usage record is shown to people. */
import { deadLetterKinds } from '../../domain/dead-letters.ts';
import type { DeadLetter } from '../../domain/dead-letters.ts';
import { deadLetterId } from '../../domain/ids.ts';
import { firstLines } from '../../domain/life.ts';
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
    ['known by', provenText(record)],
    ['error', record.error],
    ...letters.map(
      (letter) => ['dead letter', `${letter.id} (${state(letter.status)})`] as [string, string],
    ),
  ]);
  const life = record.life.map(({ at, what }) => [at, what]);
  if (record.lifeLeftOut !== undefined) {
    life.splice(firstLines, 0, ['…', `${count(record.lifeLeftOut)} lines are left out here`]);
  }
  return `${shown}\n\n${table([{ title: 'When (UTC)' }, { title: 'What' }], life)}`;
}

const proofTexts = {
  answer: 'Stripe’s answer',
  'already-there': '“already exists”',
  sums: 'Stripe’s own sums',
  person: 'a person',
};

/** How it is known that Stripe has it, or what of it. */
function provenText({ provenBy = {} }: UsageRecord): string | undefined {
  const known = new Set(Object.values(provenBy).map(({ by }) => proofTexts[by]));
  return known.size === 0 ? undefined : [...known].join(', ');
}

/** Of a quantity with more digits than one meter event takes (DL7), or of an event sent anew (DL17). */
function meterEventsText(record: UsageRecord): string | undefined {
  const events = meterEventsOf(record);
  const names = events.filter(({ place }) => record.refusals?.[place] !== undefined);
  const anew = names.length === 0 ? '' : `; sent anew as ${names.map((e) => e.name).join(', ')}`;
  if (events.length < 2) return anew === '' ? undefined : `1${anew}`;
  if (record.state === 'delivered') return `${events.length}, all of them arrived${anew}`;
  return `${record.arrived?.length ?? 0} of ${events.length} have arrived${anew}`;
}
