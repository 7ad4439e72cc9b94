/** `durabill schedules apply | list | trigger | backfill | pause | resume`. */
import type { Client, ScheduleHandle } from '@temporalio/client';
import type { Command } from 'commander';
import { schedules } from '../../domain/schedules.ts';
import type { ScheduleEntry } from '../../domain/schedules.ts';
import type { Context } from '../shell/context.ts';
import { leaf, noun, parseDay } from '../shell/leaf.ts';
import { state, table, time } from '../shell/output.ts';
import { nothing, performWith } from '../shell/perform.ts';
import type { Answer } from '../shell/perform.ts';
import { backfill, checkDays } from './backfill.ts';
import type { BackfillOptions } from './backfill.ts';
import { findEntry, isNotApplied, notApplied, patienceMs } from './find.ts';

export function addSchedules(program: Command): void {
  const parent = noun(program, 'schedules', 'What runs by the clock.');
  const example = 'daily-storage';
  leaf(parent, 'apply', 'Creates or updates every schedule; paused ones stay paused.', [
    'durabill schedules apply',
  ]).action(async (_options: object, command: Command) => {
    await performWith(command, apply, nothing);
  });
  leaf(parent, 'list', 'Lists every schedule, whether it runs, and when next.', [
    'durabill schedules list',
  ]).action(async (_options: object, command: Command) => {
    await performWith(command, list, nothing);
  });
  const verb = (name: string, description: string, act: Act): void => {
    leaf(parent, `${name} <id>`, description, [`durabill schedules ${name} ${example}`]).action(
      async (id: string, _options: object, command: Command) => {
        const run = async (context: Context, entry: ScheduleEntry) =>
          await actOn(context, entry, name, act);
        await performWith(command, run, () => findEntry(id));
      },
    );
  };
  verb('trigger', 'Runs it now, unless a run is under way.', async (handle) => {
    await handle.trigger('SKIP');
  });
  addBackfill(parent);
  verb('pause', 'Stops it until it is resumed.', async (handle) => {
    await handle.pause('paused by durabill schedules pause');
  });
  verb('resume', 'Lets it run again.', async (handle) => {
    await handle.unpause('resumed by durabill schedules resume');
  });
}

function addBackfill(parent: Command): void {
  leaf(
    parent,
    'backfill <id>',
    'Runs it for every time that it has in these days (UTC, both included), one after the other.\n' +
      'Storage is measured as it is now, and written down as those days’ snapshots.',
    [
      'durabill schedules backfill daily-storage --from 2026-11-01 --to 2026-11-07 --wait',
      'durabill schedules backfill monthly-storage --from 2026-11-01 --to 2026-11-01',
    ],
  )
    .requiredOption('--from <day>', 'YYYY-MM-DD', parseDay)
    .requiredOption('--to <day>', 'YYYY-MM-DD', parseDay)
    .option('--wait', 'show progress and end when the last run does')
    .action(async (id: string, options: BackfillOptions, command: Command) => {
      const problem = checkDays(options);
      if (problem !== undefined) command.error(`error: ${problem}`);
      await performWith(command, backfill, () => ({ ...options, id: findEntry(id).id }));
    });
}

type Act = (handle: ScheduleHandle) => Promise<void>;

async function apply(context: Context): Promise<Answer> {
  const { applySchedules } = await import('../../platform/schedules.ts');
  const client = await context.temporal();
  const results = await bounded(
    client,
    async () => await applySchedules(client, context.config.TASK_QUEUE),
  );
  const rows = results.map(({ id, outcome }) => [id, state(outcome)]);
  return { json: results, text: table([{ title: 'Schedule' }, { title: 'Outcome' }], rows) };
}

async function list(context: Context): Promise<Answer> {
  const client = await context.temporal();
  const found = await Promise.all(
    schedules.map(
      async (entry) => await bounded(client, async () => await look(client, entry, context.now())),
    ),
  );
  const rows = found.map((one) => [
    one.id,
    one.cron,
    state(one.state),
    time(one.nextRun),
    time(one.lastRun),
    describeSkipped(one.skipped),
    one.note,
  ]);
  const titles = [
    'Schedule',
    'Cron (UTC)',
    'State',
    'Next (UTC)',
    'Last (UTC)',
    'Skipped (UTC)',
    'What',
  ];
  return {
    json: found,
    text: table(
      titles.map((title) => ({ title })),
      rows,
    ),
  };
}

function describeSkipped(skipped: readonly string[]): string {
  const shown = skipped.slice(0, 3).map(time).join(', ');
  return skipped.length > 3 ? `${shown} … (${skipped.length})` : shown;
}

/** One schedule as Temporal has it. */
export async function look(client: Client, { id, cron, note }: ScheduleEntry, now: Date) {
  const { skippedTimes } = await import('../../platform/schedules.ts');
  try {
    const { state: stands, info } = await client.schedule.getHandle(id).describe();
    const next = info.nextActionTimes[0]?.toISOString();
    const last = info.recentActions.at(-1)?.takenAt.toISOString();
    return {
      id,
      cron,
      state: stands.paused ? 'paused' : 'active',
      ...(next === undefined ? {} : { nextRun: next }),
      ...(last === undefined ? {} : { lastRun: last }),
      skipped: await skippedTimes(client, id, now),
      note,
    };
  } catch (error) {
    if (!isNotApplied(error)) throw error;
    return { id, cron, state: 'missing', skipped: [], note };
  }
}

async function actOn(
  context: Context,
  { id }: ScheduleEntry,
  name: string,
  act: Act,
): Promise<Answer> {
  const client = await context.temporal();
  try {
    await bounded(client, async () => await act(client.schedule.getHandle(id)));
  } catch (error) {
    if (!isNotApplied(error)) throw error;
    throw notApplied(id);
  }
  const done = { trigger: 'triggered', pause: 'paused', resume: 'resumed' }[name] ?? name;
  return { json: { id, outcome: done }, text: `${id} ${done}` };
}

async function bounded<T>(client: Client, call: () => Promise<T>): Promise<T> {
  return await client.withDeadline(Date.now() + patienceMs, call);
}
