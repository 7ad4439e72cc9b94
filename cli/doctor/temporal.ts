/**
 * The doctor's checks of Temporal: server, search attributes, workers, schedules. They have deadlines instead of
 * `bounded`'s timer: a connection must not be closed under a call.
 */
import { schedules } from '../../domain/schedules.ts';
import { allTaskQueues } from '../../domain/temporal-names.ts';
import type { Context } from '../shell/context.ts';
import { patienceMs } from './checks.ts';
import type { Finding } from './checks.ts';
import { look } from '../schedules/commands.ts';

type Found = Omit<Finding, 'check'>;

/** temporal.api.enums.v1.TaskQueueType: ACTIVITY; each of a worker's queues has activities. */
const activityQueue = 2;
/** A worker asks again at least once a minute. */
const freshMs = 90_000;

export async function checkTemporal(context: Context): Promise<Found> {
  await context.temporal();
  const { TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE } = context.config;
  return { state: 'ok', detail: `${TEMPORAL_ADDRESS}, namespace ${TEMPORAL_NAMESPACE}` };
}

export async function checkSearchAttributes(context: Context): Promise<Found> {
  const { inspectSearchAttributes } = await import('../../platform/temporal-setup.ts');
  const found = await inspectSearchAttributes(await context.temporal(), patienceMs);
  const troubles = found.filter(({ outcome }) => outcome !== 'present');
  if (troubles.length === 0) return { state: 'ok', detail: `all ${found.length} are registered` };
  const listed = troubles.map(({ name, outcome }) => `${name} ${outcome}`).join(', ');
  return { state: 'down', detail: listed, advice: 'durabill setup' };
}

/** All queues must be served, or jobs wait for ever. */
export async function checkWorker(context: Context): Promise<Found> {
  const client = await context.temporal();
  const { namespace } = client.options;
  const { TASK_QUEUE } = context.config;
  const idle: string[] = [];
  for (const name of allTaskQueues(TASK_QUEUE)) {
    const queue = { namespace, taskQueue: { name }, taskQueueType: activityQueue };
    const { pollers } = await client.withDeadline(
      Date.now() + patienceMs,
      async () => await client.workflowService.describeTaskQueue(queue),
    );
    const seenMs = pollers.map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000);
    if (!seenMs.some((atMs) => Date.now() - atMs < freshMs)) idle.push(name);
  }
  if (idle.length === 0) return { state: 'ok', detail: `task queue ${TASK_QUEUE}` };
  const detail = `nobody works on task queue ${idle.join(' and ')}`;
  return { state: 'down', detail, advice: 'npm run worker (or npm start)' };
}

export async function checkSchedules(context: Context): Promise<Found> {
  const client = await context.temporal();
  const found = await client.withDeadline(
    Date.now() + patienceMs,
    async () =>
      await Promise.all(schedules.map(async (entry) => await look(client, entry, context.now()))),
  );
  const skipped = found.filter((one) => one.id === 'daily-storage').flatMap((one) => one.skipped);
  if (skipped.length > 0) {
    const days = skipped.map((time) => time.slice(0, 10));
    const [first = '', last = first] = [days[0], days.at(-1)];
    return {
      state: 'warning',
      detail: `daily-storage was skipped for ${days.join(', ')}`,
      advice: `durabill schedules backfill daily-storage --from ${first} --to ${last}`,
    };
  }
  const troubles = found.filter((one) => one.state !== 'active');
  if (troubles.length === 0) return { state: 'ok', detail: `all ${found.length} are active` };
  const detail = troubles.map((one) => `${one.id} ${one.state}`).join(', ');
  const missing = troubles.some((one) => one.state === 'missing');
  const advice = missing ? 'durabill schedules apply' : 'durabill schedules resume ID';
  return { state: 'warning', detail, advice };
}
