/** "Redrive all" over HTTP: bounded in time and number, and it says where to go on. */
import type { DeadLetter, DeadLetterKind } from '../domain/dead-letters.ts';
import { redriveTogether } from '../operations/dead-letters/together.ts';
import type { RedrivenTogether } from '../operations/dead-letters/together.ts';
import type { RedriveDependencies } from '../operations/dead-letters/redrive.ts';
import type { DeadLetterPlaces, DeadLetters } from '../tables/dead-letters.ts';

const mostLetters = 100;
const lettersAtOnce = 10;
/** No further letter is begun, and no event waited for, after that. */
const budgetMs = 5000;

export interface RedriveOpenDependencies {
  deadLetters: Pick<DeadLetters, 'page'>;
  /** What a redrive needs; its events are waited for no longer than this. */
  patient: (applyPatienceMs: number) => RedriveDependencies;
  now: () => Date;
}

export interface OpenLetters {
  kind: DeadLetterKind | undefined;
  after: DeadLetterPlaces | undefined;
}

/** The oldest open ones from `after` on; `next` when there may be more. */
export async function redriveOpen<Failure extends object>(
  { deadLetters, patient, now }: RedriveOpenDependencies,
  { kind, after }: OpenLetters,
  tell: (error: unknown, id: string) => Failure,
): Promise<RedrivenTogether<Failure> & { next?: DeadLetterPlaces }> {
  const untilMs = now().getTime() + budgetMs;
  const page = await deadLetters.page({ kind, status: 'open', limit: mostLetters, after });
  const all: RedrivenTogether<Failure> = { redriven: [], failures: [] };
  let tried = 0;
  while (tried < page.letters.length) {
    const leftMs = untilMs - now().getTime();
    if (tried > 0 && leftMs <= 0) {
      return { ...all, next: { ...after, ...placesOf(page.letters.slice(0, tried)) } };
    }
    const ids = page.letters.slice(tried, tried + lettersAtOnce).map(({ id }) => id);
    const { redriven, failures } = await redriveTogether(patient(leftMs), ids, { tell });
    all.redriven.push(...redriven);
    all.failures.push(...failures);
    tried += ids.length;
  }
  return page.next === undefined ? all : { ...all, next: page.next };
}

/** Of each kind, the last one: they are in order. */
function placesOf(letters: readonly DeadLetter[]): DeadLetterPlaces {
  return Object.fromEntries(letters.map(({ kind, createdAt, id }) => [kind, { createdAt, id }]));
}
