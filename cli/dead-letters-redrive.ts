/** `durabill dead-letters redrive`: one, or all that are open. */
import type { DeadLetterKind } from '../domain/dead-letters.ts';
import type { Context } from './context.ts';
import { describeFailure } from './failures.ts';
import { state, table } from './output.ts';
import { note } from './perform.ts';
import type { Answer } from './perform.ts';
import { redrive } from './redrive.ts';
import type { Redriven, RedriveDependencies } from './redrive.ts';

const announcePatienceMs = 10_000;
const progressEvery = 100;

export async function redriveOne(context: Context, id: string): Promise<Answer> {
  const done = await redrive(await dependencies(context), id);
  return { json: done, text: say(done) };
}

/** One that fails does not keep the others; they are all tried, and the failures named. */
export async function redriveAll(
  context: Context,
  kind: DeadLetterKind | undefined,
): Promise<Answer> {
  const deps = await dependencies(context);
  const { deadLetters } = await context.tables();
  const ids: string[] = [];
  for await (const letter of deadLetters.list(kind)) {
    if (letter.status === 'open') ids.push(letter.id);
  }
  const done: Redriven[] = [];
  const failures: { id: string; error: string }[] = [];
  for (const [position, id] of ids.entries()) {
    if (position > 0 && position % progressEvery === 0) note(`${position} of ${ids.length}`);
    try {
      done.push(await redrive(deps, id));
    } catch (error) {
      failures.push({ id, error: describeFailure(error).message });
    }
  }
  const rows = [
    ...done.map(({ id, outcome, state: stands }) => [id, state(outcome), state(stands)]),
    ...failures.map(({ id, error }) => [id, state('failed'), error]),
  ];
  const columns = ['Dead letter', 'Outcome', 'Usage'].map((title) => ({ title }));
  return {
    json: { redriven: done, failures },
    text: ids.length === 0 ? 'No open dead letter.' : table(columns, rows),
    ...(failures.length === 0
      ? {}
      : { failed: `${failures.length} of ${ids.length} could not be redriven` }),
  };
}

async function dependencies(context: Context): Promise<RedriveDependencies> {
  const { announceUsage } = await import('../platform/temporal.ts');
  const { ledger, deadLetters } = await context.tables();
  // Asked before anything is changed: nothing is half done just because Temporal is away.
  const client = await context.temporal();
  const { TASK_QUEUE } = context.config;
  return {
    ledger,
    deadLetters,
    announce: async (usage) => {
      await client.withDeadline(
        Date.now() + announcePatienceMs,
        async () => await announceUsage(client, TASK_QUEUE, usage),
      );
    },
    now: () => new Date(),
  };
}

function say({ id, identifier, outcome, state: stands }: Redriven): string {
  const look = `durabill usage show ${identifier}`;
  if (outcome === 'already-redriven') {
    return `${id} was redriven already; its usage is ${stands} (${look})`;
  }
  if (outcome === 'again') return `${id} was laid aside again: ${look}`;
  return `Redriven ${id}: its usage is ${stands} (${look})`;
}
