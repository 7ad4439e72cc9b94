/** `durabill dead-letters redrive`: one, or all that are open. */
import type { DeadLetterKind } from '../../domain/dead-letters.ts';
import { redriveByName } from '../../operations/dead-letters/redrive.ts';
import type { Redriven, RedriveDependencies } from '../../operations/dead-letters/redrive.ts';
import { redriveTogether } from '../../operations/dead-letters/together.ts';
import type { Tables } from '../../tables/open.ts';
import type { Context } from '../shell/context.ts';
import { describeFailure } from '../shell/failures.ts';
import { count, state, table } from '../shell/output.ts';
import type { Answer } from '../shell/perform.ts';

/** A day of one customer takes seconds; one that fails again is tried for 20 minutes without us. */
const measurePatienceMs = 60_000;
/** An event is applied in a second; one that fails again is tried for an hour without us. */
const applyPatienceMs = 30_000;

type Show = (text: string) => void;

export async function redriveOne(context: Context, id: string): Promise<Answer> {
  const { withProgressLine } = await import('../shell/follow.ts');
  const done = await withProgressLine(
    goesOn,
    async (show) => await redriveByName(await dependencies(context, show), id),
  );
  const answer = { json: done, text: say(done) };
  return done.outcome === 'again' ? { ...answer, failed: `${id} is open again` } : answer;
}

/** One that fails does not keep the others; they are all tried, and the failures named. */
export async function redriveAll(
  context: Context,
  kind: DeadLetterKind | undefined,
): Promise<Answer> {
  const { withProgressLine } = await import('../shell/follow.ts');
  const deps = await dependencies(context, () => undefined);
  const { deadLetters } = await context.tables();
  const ids: string[] = [];
  for await (const letter of deadLetters.list(kind)) {
    if (letter.status === 'open') ids.push(letter.id);
  }
  const { redriven, failures } = await withProgressLine(
    goesOn,
    async (show) =>
      await redriveTogether(deps, ids, {
        tell: (error) => ({ error: describeFailure(error).message }),
        onEnd: (ended) => show(`${count(ended)} of ${count(ids.length)} dead letters`),
      }),
  );
  return report(ids, redriven, failures);
}

function report(
  ids: readonly string[],
  done: readonly Redriven[],
  failures: readonly { id: string; error: string }[],
): Answer {
  const rows = [
    ...done.map(({ id, outcome, state: stands }) => [id, state(outcome), state(stands)]),
    ...failures.map(({ id, error }) => [id, state('failed'), error]),
  ];
  const columns = ['Dead letter', 'Outcome', 'Now'].map((title) => ({ title }));
  const bad = failures.length + done.filter(({ outcome }) => outcome === 'again').length;
  return {
    json: { redriven: done, failures },
    text: ids.length === 0 ? 'No open dead letter.' : table(columns, rows),
    ...(bad === 0 ? {} : { failed: `${bad} of ${ids.length} could not be redriven` }),
  };
}

async function dependencies(
  context: Context,
  show: Show,
): Promise<RedriveDependencies & Pick<Tables, 'deadLetters'>> {
  const [{ connectRedrive }, follow] = await Promise.all([
    import('../../operations/dead-letters/connect.ts'),
    import('../shell/follow.ts'),
  ]);
  // Asked before anything is changed: nothing is half done just because Temporal is away.
  const engine = await context.engine();
  const connected = connectRedrive(engine, {
    applyPatienceMs,
    awaitDay: async (workflowId, { customerId, day }) => {
      const progress = async (): Promise<string> => {
        await engine.readProgress('aggregateStorage', workflowId);
        return `measuring ${customerId} for ${day}`;
      };
      return await follow.untilClosed(engine, workflowId, { progress, show }, measurePatienceMs);
    },
  });
  return { ...(await context.tables()), ...connected, now: context.now };
}

const goesOn = 'What was begun goes on; running it again takes up what is left.';

function say(done: Redriven): string {
  const { id, outcome, state: stands } = done;
  const look = lookOf(done);
  if (outcome === 'already-redriven')
    return `${id} was redriven already; it is ${stands} (${look})`;
  if (outcome === 'again') return `${id} was laid aside again: ${look}`;
  if (outcome === 'started' && 'eventId' in done)
    return `${id} is tried still: redrive it once more to see how it ended (${look})`;
  if (outcome === 'started')
    return `${id} is being redriven, and stays open until it ends: ${look}`;
  return `Redriven ${id}: it is ${stands} (${look})`;
}

function lookOf(done: Redriven): string {
  if ('eventId' in done) return `durabill webhooks show ${done.eventId}`;
  if ('identifier' in done) return `durabill usage show ${done.identifier}`;
  const { customerId, period } = done;
  const isMonth = period.length === 'YYYY-MM'.length;
  if (isMonth) return `durabill bill show ${customerId} --month ${period}`;
  return `durabill storage show ${customerId} --month ${period.slice(0, 7)}`;
}
