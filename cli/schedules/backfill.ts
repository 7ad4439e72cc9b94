/** `durabill schedules backfill`: a schedule's runs of days gone by, and how they ended. */
import type { Client } from '@temporalio/client';
import { BillingError } from '../../domain/errors.ts';
import { dayOf, daysBetween } from '../../domain/period.ts';
import type { Context } from '../shell/context.ts';
import type { EndedRun } from './runs.ts';
import { count, facts, state, table, time } from '../shell/output.ts';
import type { Answer } from '../shell/perform.ts';
import { isNotApplied, notApplied, patienceMs } from './find.ts';

export interface BackfillOptions {
  from: string;
  to: string;
  wait?: boolean;
}

const mostDays = 400;
/** Temporal names no more nominal times than these. */
const mostRuns = 1000;
/** Runs that a person is shown; `--json` has all. */
const mostShown = 50;

/** What is wrong with the days, or undefined. */
export function checkDays({ from, to }: BackfillOptions): string | undefined {
  if (from > to) return `--from ${from} is after --to ${to}`;
  const days = daysBetween(from, to).length;
  if (days > mostDays) return `${days} days are more than ${mostDays}: do it in parts`;
  return undefined;
}

export async function backfill(
  context: Context,
  { id, wait = false, ...days }: BackfillOptions & { id: string },
): Promise<Answer> {
  const today = dayOf(context.now().getTime());
  if (days.to > today) {
    const message = `${days.to} has not come yet: today is ${today} (UTC)`;
    throw new BillingError('invalid_request', message);
  }
  const { backfillSchedule, nominalTimes } = await import('../../platform/schedules.ts');
  const { closedRuns, waitForRuns } = await import('./runs.ts');
  const client = await context.temporal();
  const bounded = async <T>(call: () => Promise<T>): Promise<T> =>
    await client.withDeadline(Date.now() + patienceMs, call);
  await bounded(async () => await requireSchedule(client, id));
  const times = await bounded(async () => await nominalTimes(client, id, days));
  checkTimes(id, days, times);
  // Runs of an earlier backfill of the same days are not those that we wait for.
  const earlier = wait ? await closedRuns(client, id, days) : new Set<string>();
  await bounded(async () => await backfillSchedule(client, id, days));
  if (!wait) return asked(id, days, times);
  return report(id, days, await waitForRuns(client, { id, days, times, earlier }));
}

async function requireSchedule(client: Client, id: string): Promise<void> {
  try {
    await client.schedule.getHandle(id).describe();
  } catch (error) {
    throw isNotApplied(error) ? notApplied(id) : error;
  }
}

function checkTimes(
  id: string,
  { from, to }: { from: string; to: string },
  times: readonly string[],
): void {
  if (times.length === 0) {
    throw new BillingError('invalid_request', `${id} has no run from ${from} to ${to}`);
  }
  if (times.length >= mostRuns) {
    const message = `${id} has ${count(mostRuns)} runs or more from ${from} to ${to}: do it in parts`;
    throw new BillingError('too_large', message);
  }
}

type Days = Pick<BackfillOptions, 'from' | 'to'>;

function asked(id: string, days: Days, times: readonly string[]): Answer {
  return {
    json: { id, ...days, nominalTimes: times },
    text: facts([
      ['schedule', id],
      ['runs', `${count(times.length)}, one after the other`],
      ['first', `${time(times[0])} UTC`],
      ['last', `${time(times.at(-1))} UTC`],
    ]),
  };
}

function report(id: string, days: Days, runs: readonly EndedRun[]): Answer {
  const bad = runs.filter(({ status, failed }) => status !== 'completed' || failed > 0);
  const shown = bad.length > 0 ? bad : runs;
  const rows = shown
    .slice(0, mostShown)
    .map((run) => [
      time(run.nominalTime),
      state(run.status),
      run.failed === 0 ? '' : `${count(run.failed)} customer(s)`,
      run.workflowId,
    ]);
  const columns = ['Run (UTC)', 'Status', 'Failed', 'Workflow'].map((title) => ({ title }));
  const more = shown.length - mostShown;
  const rest = more > 0 ? `\n… and ${count(more)} more (--json has all)` : '';
  const summary = `${count(runs.length)} runs of ${id}, ${count(bad.length)} not in order`;
  return {
    json: { id, ...days, runs },
    text: `${table(columns, rows)}${rest}\n\n${summary}`,
    ...(bad.length === 0
      ? {}
      : { failed: `${count(bad.length)} of ${count(runs.length)} runs did not end well` }),
  };
}
