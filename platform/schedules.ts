/** Carries out `domain/schedules.ts`: every option written out, none left to a default. */
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { msNumberToTs, tsToMs } from '@temporalio/common/lib/time.js';
import { dayOf } from '../domain/period.ts';
import { schedules } from '../domain/schedules.ts';
import type { ScheduleEntry } from '../domain/schedules.ts';

const scheduledStart = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

/** Creates what is missing and updates what is there; running it twice changes nothing. */
export async function applySchedules(
  client: Client,
  taskQueue: string,
): Promise<{ id: string; outcome: 'created' | 'updated' }[]> {
  const results: { id: string; outcome: 'created' | 'updated' }[] = [];
  for (const entry of schedules) {
    results.push({ id: entry.id, outcome: await applySchedule(client, taskQueue, entry) });
  }
  return results;
}

export interface Days {
  from: string;
  to: string;
}

/** Runs a schedule for every nominal time from one day's beginning to another's end, in order. */
export async function backfillSchedule(client: Client, id: string, days: Days): Promise<void> {
  const { start, end } = boundsOf(days);
  await client.schedule
    .getHandle(id)
    .backfill({ start, end, overlap: ScheduleOverlapPolicy.BUFFER_ALL });
}

/** The nominal times that a backfill of these days is for, ISO 8601; Temporal names 1,000 at most. */
export async function nominalTimes(client: Client, id: string, days: Days): Promise<string[]> {
  const { start, end } = boundsOf(days);
  // Times after the start are named; a backfill takes the start itself as well.
  return await matchingTimes(client, id, start.getTime() - 1, end.getTime());
}

async function matchingTimes(
  client: Client,
  id: string,
  afterMs: number,
  untilMs: number,
): Promise<string[]> {
  const { startTime } = await client.workflowService.listScheduleMatchingTimes({
    namespace: client.options.namespace,
    scheduleId: id,
    startTime: msNumberToTs(afterMs),
    endTime: msNumberToTs(untilMs),
  });
  return startTime.map((time) => new Date(tsToMs(time)).toISOString());
}

/** A run of a schedule, as Temporal's visibility has it (a second or so behind). */
export interface ScheduledRun {
  workflowId: string;
  runId: string;
  /** ISO 8601 */
  nominalTime: string;
  status: string;
}

/** Every run, old and new, for the nominal times of these days. */
export async function* scheduledRuns(
  client: Client,
  id: string,
  days: Days,
): AsyncGenerator<ScheduledRun> {
  const { start, end } = boundsOf(days);
  const range = `BETWEEN '${start.toISOString()}' AND '${end.toISOString()}'`;
  const query = `TemporalScheduledById = '${id}' AND TemporalScheduledStartTime ${range}`;
  for await (const run of client.workflow.list({ query })) {
    const { workflowId, runId, status, typedSearchAttributes } = run;
    const nominal = typedSearchAttributes.get(scheduledStart);
    if (nominal === undefined) continue;
    yield { workflowId, runId, nominalTime: nominal.toISOString(), status: status.name };
  }
}

/** How far back it is asked; the server forgets closed runs after its retention time. */
const lookBackMs = 7 * 86_400_000;

/**
 * Nominal times of the last days for which nothing was started and nothing waits (SB21): skipped because
 * another run was open, because nobody was there in time, or because it was paused.
 */
export async function skippedTimes(client: Client, id: string, now: Date): Promise<string[]> {
  const description = await client.schedule.getHandle(id).describe();
  const { createdAt, recentActions } = description.info;
  // Times before the oldest run that is known may have had runs which the server has forgotten.
  const fromMs = Math.max(
    createdAt.getTime(),
    now.getTime() - lookBackMs,
    recentActions[0]?.scheduledAt.getTime() ?? 0,
  );
  const days = { from: dayOf(fromMs), to: dayOf(now.getTime()) };
  const started = new Set(recentActions.map(({ scheduledAt }) => scheduledAt.toISOString()));
  let firstOpen: string | undefined;
  for await (const { nominalTime, status } of scheduledRuns(client, id, days)) {
    started.add(nominalTime);
    if (status === 'RUNNING' && !(firstOpen !== undefined && firstOpen < nominalTime)) {
      firstOpen = nominalTime;
    }
  }
  const buffers = description.policies.overlap === ScheduleOverlapPolicy.BUFFER_ALL;
  const waits = (time: string): boolean => buffers && firstOpen !== undefined && time > firstOpen;
  const times = await matchingTimes(client, id, fromMs, now.getTime() - startPatienceMs);
  return times.filter((time) => !started.has(time) && !waits(time));
}

/** Visibility is a second or so behind, a busy server more. */
const startPatienceMs = 60_000;

function boundsOf({ from, to }: Days): { start: Date; end: Date } {
  return { start: new Date(`${from}T00:00:00.000Z`), end: new Date(`${to}T23:59:59.999Z`) };
}

async function applySchedule(
  client: Client,
  taskQueue: string,
  entry: ScheduleEntry,
): Promise<'created' | 'updated'> {
  const wanted = scheduleOptions(entry, taskQueue);
  try {
    await client.schedule.create(wanted);
    return 'created';
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  // The state (paused or not) is the operator's and stays; the spec is replaced whole, for a cron
  // line that is left in would go on firing beside the new one.
  await client.schedule.getHandle(entry.id).update((current) => ({
    ...current,
    spec: wanted.spec,
    action: wanted.action,
    policies: wanted.policies,
  }));
  return 'updated';
}

function scheduleOptions(entry: ScheduleEntry, taskQueue: string) {
  return {
    scheduleId: entry.id,
    spec: { cronExpressions: [entry.cron], timezone: 'UTC' },
    action: {
      type: 'startWorkflow',
      workflowType: entry.workflowType,
      workflowId: entry.id,
      taskQueue,
      args: [],
    },
    policies: {
      overlap: entry.overlap,
      catchupWindow: entry.catchUpWindow,
      pauseOnFailure: entry.pauseOnFailure,
    },
    state: { note: entry.note },
  } satisfies ScheduleOptions;
}
