/** `durabill dead-letters redrive`: one, or all that are open. */
import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { DeadLetterKind } from '../domain/dead-letters.ts';
import type { Context } from './context.ts';
import { describeFailure } from './failures.ts';
import { count, state, table } from './output.ts';
import type { Answer } from './perform.ts';
import { redrive } from './redrive.ts';
import type { Redriven, RedriveDependencies } from './redrive.ts';

const callPatienceMs = 10_000;
/** A day of one customer takes seconds; one that fails again is tried for 20 minutes without us. */
const measurePatienceMs = 60_000;
/** An event is applied in a second; one that fails again is tried for an hour without us. */
const applyPatienceMs = 30_000;
const applyPauseMs = 250;
const lettersAtOnce = 10;

type Show = (text: string) => void;

export async function redriveOne(context: Context, id: string): Promise<Answer> {
  const { withProgressLine } = await import('./follow.ts');
  const done = await withProgressLine(
    goesOn,
    async (show) => await redrive(await dependencies(context, show), id),
  );
  const answer = { json: done, text: say(done) };
  return done.outcome === 'again' ? { ...answer, failed: `${id} is open again` } : answer;
}

/** One that fails does not keep the others; they are all tried, and the failures named. */
export async function redriveAll(
  context: Context,
  kind: DeadLetterKind | undefined,
): Promise<Answer> {
  const { withProgressLine } = await import('./follow.ts');
  const deps = await dependencies(context, () => undefined);
  const { deadLetters } = await context.tables();
  const ids: string[] = [];
  for await (const letter of deadLetters.list(kind)) {
    if (letter.status === 'open') ids.push(letter.id);
  }
  const done: Redriven[] = [];
  const failures: { id: string; error: string }[] = [];
  await withProgressLine(goesOn, async (show) => {
    const atOnce = pLimit(lettersAtOnce);
    const one = async (id: string): Promise<void> => {
      try {
        done.push(await redrive(deps, id));
      } catch (error) {
        failures.push({ id, error: describeFailure(error).message });
      }
      show(`${count(done.length + failures.length)} of ${count(ids.length)} dead letters`);
    };
    await Promise.all(ids.map((id) => atOnce(one, id)));
  });
  return report(ids, inOrder(ids, done), inOrder(ids, failures));
}

/** Ten at once end in any order. */
function inOrder<T extends { id: string }>(ids: readonly string[], found: readonly T[]): T[] {
  const byId = new Map(found.map((one) => [one.id, one]));
  return ids.flatMap((id) => byId.get(id) ?? []);
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

async function dependencies(context: Context, show: Show): Promise<RedriveDependencies> {
  const [{ announceUsage, startDay, startStorageBill }, { announceEvent }, follow] =
    await Promise.all([
      import('../platform/temporal.ts'),
      import('../platform/announce-event.ts'),
      import('./follow.ts'),
    ]);
  // Asked before anything is changed: nothing is half done just because Temporal is away.
  const client = await context.temporal();
  const { TASK_QUEUE } = context.config;
  const bounded = async <T>(call: () => Promise<T>): Promise<T> =>
    await client.withDeadline(Date.now() + callPatienceMs, call);
  return {
    ...(await context.tables()),
    announceEvent: async (line, eventId) => {
      const again = { line, eventId, again: true };
      await bounded(async () => await announceEvent(client, TASK_QUEUE, again));
    },
    waitUntil,
    announce: async (usage) => {
      await bounded(async () => await announceUsage(client, TASK_QUEUE, usage));
    },
    measureDay: async (order) => {
      const workflowId = await bounded(async () => await startDay(client, TASK_QUEUE, order));
      const progress = async (): Promise<string> => {
        await follow.askProgress(client, workflowId);
        return `measuring ${order.customerId} for ${order.day}`;
      };
      return await follow.untilClosed(client, workflowId, { progress, show }, measurePatienceMs);
    },
    startBill: async (order) =>
      await bounded(async () => await startStorageBill(client, TASK_QUEUE, order)),
    now: context.now,
  };
}

/** False when patience ended first. */
async function waitUntil(isOver: () => Promise<boolean>): Promise<boolean> {
  const untilMs = Date.now() + applyPatienceMs;
  while (Date.now() < untilMs) {
    if (await isOver()) return true;
    await delay(applyPauseMs);
  }
  return await isOver();
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
