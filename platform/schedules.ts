/** Carries out `domain/schedules.ts`: every option written out, none left to a default. */
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import { schedules } from '../domain/schedules.ts';
import type { ScheduleEntry } from '../domain/schedules.ts';

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

/** Runs a schedule for every nominal time from one day's beginning to another's end, in order. */
export async function backfillSchedule(
  client: Client,
  id: string,
  days: { from: string; to: string },
): Promise<void> {
  await client.schedule.getHandle(id).backfill({
    start: new Date(`${days.from}T00:00:00.000Z`),
    end: new Date(`${days.to}T23:59:59.999Z`),
    overlap: ScheduleOverlapPolicy.BUFFER_ALL,
  });
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
      overlap: ScheduleOverlapPolicy.SKIP,
      catchupWindow: entry.catchUpWindow,
      pauseOnFailure: entry.pauseOnFailure,
    },
    state: { note: entry.note },
  } satisfies ScheduleOptions;
}
