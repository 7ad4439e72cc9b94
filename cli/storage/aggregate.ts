/** `durabill storage aggregate`: starts a day's run, and waits for it when asked to. */
import type { DeadLetter } from '../../domain/dead-letters.ts';
import { BillingError } from '../../domain/errors.ts';
import { dayOf } from '../../domain/period.ts';
import type { AggregateStorageProgress } from '../../domain/storage-runs.ts';
import type { Context } from '../shell/context.ts';
import { count, facts, humanBytes, seconds, table } from '../shell/output.ts';
import type { Answer } from '../shell/perform.ts';
import { linkTo } from '../process/show.ts';

/** Customers named at the end; `dead-letters list` has all. */
const mostNamed = 50;

export async function aggregate(
  context: Context,
  { day: given, wait }: { day: string | undefined; wait: boolean },
): Promise<Answer> {
  const today = dayOf(context.now().getTime());
  const day = given ?? today;
  if (day > today) {
    throw new BillingError('invalid_request', `${day} has not come yet: today is ${today} (UTC)`);
  }
  const engine = await context.engine();
  const workflowId = await engine.startDay({ day });
  if (wait) return await waitForDay(context, day, workflowId);
  const temporalUi = linkTo(context, workflowId);
  return {
    json: { day, workflowId, ...(temporalUi === undefined ? {} : { temporalUi }) },
    text: facts([
      ['day', day],
      ['workflow', workflowId],
      ['Temporal UI', temporalUi],
      ['next', `durabill storage aggregate --day ${day} --wait`],
    ]),
  };
}

async function waitForDay(context: Context, day: string, workflowId: string): Promise<Answer> {
  const { follow } = await import('../shell/follow.ts');
  const engine = await context.engine();
  await follow(engine, {
    workflowId,
    goesOn: `The run goes on: durabill storage aggregate --day ${day} --wait`,
    progress: async () => sayProgress(await engine.readProgress('aggregateStorage', workflowId)),
  });
  const outcome = await engine.readOutcome('aggregateStorage', workflowId);
  if ('failure' in outcome) {
    throw new BillingError('conflict', `measuring ${day} failed: ${outcome.failure}`);
  }
  const { result } = outcome;
  const letters = result.failed === 0 ? [] : await findLetters(context, day);
  const answer = { json: { workflowId, ...result, deadLetters: letters }, text: draw(result) };
  if (result.failed === 0) return answer;
  return {
    ...answer,
    text: `${answer.text}\n\n${drawLetters(letters)}`,
    failed: `${count(result.failed)} customer(s) could not be measured: they have no row for ${day}`,
  };
}

function sayProgress(progress: AggregateStorageProgress): string {
  const { customers, chunks, chunksDone, failed, bytes } = progress;
  const chunked = chunks === 0 ? '' : `, chunk ${count(chunksDone)} of ${count(chunks)}`;
  return `${count(customers)} customers${chunked}, ${humanBytes(bytes)}, ${count(failed)} failed`;
}

function draw({ day, customers, files, bytes, failed, durationMs }: AggregateStorageProgress) {
  return table(
    [
      { title: 'Day' },
      { title: 'Customers', align: 'right' },
      { title: 'Files', align: 'right' },
      { title: 'Bytes', align: 'right' },
      { title: '' },
      { title: 'Failed', align: 'right' },
      { title: 'Took', align: 'right' },
    ],
    [
      [
        day,
        count(customers),
        count(files),
        count(bytes),
        humanBytes(bytes),
        count(failed),
        seconds(durationMs),
      ],
    ],
  );
}

/** The day's customers that wait for a person. */
async function findLetters(context: Context, day: string): Promise<DeadLetter[]> {
  const { deadLetters } = await context.tables();
  const found: DeadLetter[] = [];
  for await (const letter of deadLetters.list('storage-day')) {
    if (letter.status !== 'open' || letter.subject.day !== day) continue;
    found.push(letter);
    if (found.length === mostNamed) break;
  }
  return found;
}

function drawLetters(letters: readonly DeadLetter[]): string {
  const rows = letters.map(({ id, customerId, error }) => [id, customerId, error]);
  const columns = ['Dead letter', 'Customer', 'Error'].map((title) => ({ title }));
  return `${table(columns, rows)}\n\nNext: durabill dead-letters redrive --all --kind storage-day`;
}
