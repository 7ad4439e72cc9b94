/** The runs of a backfill: followed until each of its nominal times has one that has ended. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import { BillingError } from '../../domain/errors.ts';
import { scheduledRuns } from '../../platform/schedules.ts';
import type { Days, ScheduledRun } from '../../platform/schedules.ts';
import { describeFailure } from '../shell/failures.ts';
import { withProgressLine } from '../shell/follow.ts';
import { count, time } from '../shell/output.ts';

/** A run that has ended; `failed` are the customers that its result says could not be done. */
export interface EndedRun extends ScheduledRun {
  failed: number;
}

interface Backfill {
  id: string;
  days: Days;
  times: readonly string[];
  /** Runs that had ended before it was asked for. */
  earlier: ReadonlySet<string>;
}

const pollEveryMs = 1000;
const listPatienceMs = 10_000;
/** A run may wait 21 minutes for customers that fail; one in which nothing ends is given up. */
const stallPatienceMs = 3_600_000;
const outagePatienceMs = 60_000;

export async function closedRuns(client: Client, id: string, days: Days): Promise<Set<string>> {
  const closed = new Set<string>();
  await client.withDeadline(Date.now() + listPatienceMs, async () => {
    for await (const { runId, status } of scheduledRuns(client, id, days)) {
      if (status !== 'RUNNING') closed.add(runId);
    }
  });
  return closed;
}

/** Every nominal time's last run. BillingError `unavailable` when none ends for an hour. */
export async function waitForRuns(client: Client, backfill: Backfill): Promise<EndedRun[]> {
  const { id, times } = backfill;
  const goesOn = `The runs go on: Temporal UI, TemporalScheduledById = '${id}'`;
  const runs = await withProgressLine(goesOn, async (show) => {
    let changedAtMs = Date.now();
    let seen = -1;
    let outageSinceMs: number | undefined;
    for (;;) {
      try {
        const ended = await endedRuns(client, backfill);
        outageSinceMs = undefined;
        if (ended.length === times.length) return ended;
        if (ended.length !== seen) changedAtMs = Date.now();
        seen = ended.length;
        show(sayProgress(ended, times));
      } catch (error) {
        outageSinceMs ??= Date.now();
        if (Date.now() - outageSinceMs > outagePatienceMs) throw error;
        show(`waiting: ${describeFailure(error).message}`);
      }
      if (Date.now() - changedAtMs > stallPatienceMs) throw stalled(id, seen, times.length);
      await delay(pollEveryMs);
    }
  });
  const atOnce = pLimit(10);
  return await Promise.all(
    runs.map(async (run) => ({ ...run, failed: await atOnce(failedCustomers, client, run) })),
  );
}

/** One run a nominal time, in order: the last of a chain that went on as new. */
async function endedRuns(client: Client, backfill: Backfill): Promise<ScheduledRun[]> {
  const { id, days, times, earlier } = backfill;
  const open = new Set<string>();
  const ended = new Map<string, ScheduledRun>();
  await client.withDeadline(Date.now() + listPatienceMs, async () => {
    for await (const run of scheduledRuns(client, id, days)) {
      if (run.status === 'RUNNING') open.add(run.nominalTime);
      else if (run.status !== 'CONTINUED_AS_NEW' && !earlier.has(run.runId)) {
        ended.set(run.nominalTime, run);
      }
    }
  });
  return times.flatMap((nominal) => {
    const run = open.has(nominal) ? undefined : ended.get(nominal);
    return run === undefined ? [] : [{ ...run, status: run.status.toLowerCase() }];
  });
}

function sayProgress(ended: readonly ScheduledRun[], times: readonly string[]): string {
  const bad = ended.filter(({ status }) => status !== 'completed').length;
  const done = new Set(ended.map(({ nominalTime }) => nominalTime));
  const next = times.find((nominal) => !done.has(nominal));
  const counted = `${count(ended.length)} of ${count(times.length)} runs ended, ${count(bad)} failed`;
  return `${counted}; at ${time(next)} UTC`;
}

/** A run of storage completes although some customers failed; its result says so. */
async function failedCustomers(client: Client, run: ScheduledRun): Promise<number> {
  if (run.status !== 'completed') return 0;
  const handle = client.workflow.getHandle(run.workflowId, run.runId);
  const result: unknown = await client.withDeadline(
    Date.now() + listPatienceMs,
    async (): Promise<unknown> => await handle.result(),
  );
  if (typeof result !== 'object' || result === null || !('failed' in result)) return 0;
  return typeof result.failed === 'number' ? result.failed : 0;
}

function stalled(id: string, ended: number, all: number): BillingError {
  const minutes = stallPatienceMs / 60_000;
  return new BillingError(
    'unavailable',
    `${ended} of ${all} runs of ${id} have ended and none in the last ${minutes} minutes: ` +
      'is a worker running (`durabill doctor`)?',
  );
}
