/** Nights while nobody works, on the real server: none is skipped, and what was is named (SB21). */
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applySchedules, skippedTimes } from '../../platform/schedules.ts';
import { durabill } from '../cli/support.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startBareTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';

let services: Services;
/** No worker: the first run stays open. */
let temporal: BareTemporal;
beforeAll(async () => {
  services = await startServices();
  temporal = await startBareTemporal(services);
  await applySchedules(temporal.client, taskQueue);
});
afterAll(async () => {
  await temporal.stop();
  await services.stop();
});

const handle = () => temporal.client.schedule.getHandle('daily-storage');

/** Nights of two seconds, with another policy or with the one that is applied. */
async function hurry(overlap?: ScheduleOverlapPolicy): Promise<void> {
  await handle().update((current) => ({
    ...current,
    spec: { intervals: [{ every: '2 seconds' }] },
    policies: overlap === undefined ? current.policies : { ...current.policies, overlap },
  }));
}

/** As of now: without the time that a start is given. */
const skipped = async (): Promise<string[]> =>
  await skippedTimes(temporal.client, 'daily-storage', new Date(Date.now() + 60_000));

/** What it says as `--json`, a minute from now: younger times may have their runs yet. */
async function commandLine<Answer>(...args: string[]): Promise<Answer> {
  const where = { TEMPORAL_ADDRESS: temporal.server.address, TASK_QUEUE: taskQueue };
  const env = { ...services.env, ...where, CLOCK_OFFSET_SECONDS: '60' };
  const { stdout } = await durabill([...args, '--json'], env);
  return JSON.parse(stdout) as Answer;
}

test('SB21 daily-storage buffers its nights and catches up two days; the others skip', async () => {
  const policies = await Promise.all(
    ['daily-storage', 'monthly-storage', 'catch-up-webhooks', 'sweep-usage'].map(async (id) => {
      const described = await temporal.client.schedule.getHandle(id).describe();
      return [id, described.policies.overlap, described.policies.catchupWindow];
    }),
  );
  expect(policies.map(([id, overlap]) => [id, overlap])).toEqual([
    ['daily-storage', 'BUFFER_ALL'],
    ['monthly-storage', 'SKIP'],
    ['catch-up-webhooks', 'SKIP'],
    ['sweep-usage', 'SKIP'],
  ]);
  expect(policies[0]?.[2]).toBe(2 * 86_400_000);
});

test('SB21 nights that come while one is open wait, and are no skipped ones', async () => {
  await hurry();
  const info = async () => (await handle().describe()).info;
  const buffered = async (): Promise<number> => {
    const { schedule } = temporal.client;
    const answer = await schedule.workflowService.describeSchedule({
      namespace: temporal.client.options.namespace,
      scheduleId: 'daily-storage',
    });
    return Number(answer.info?.bufferSize ?? 0);
  };
  await expect.poll(buffered, { timeout: 300_000 }).toBeGreaterThanOrEqual(2);
  expect((await info()).numActionsSkippedOverlap).toBe(0);
  await expect.poll(skipped, { timeout: 300_000 }).toEqual([]);
});

test('SB21 nights that were skipped all the same are named by their nominal times', async () => {
  await hurry(ScheduleOverlapPolicy.SKIP);
  const lost = async (): Promise<number> =>
    (await handle().describe()).info.numActionsSkippedOverlap;
  await expect.poll(lost, { timeout: 300_000 }).toBeGreaterThanOrEqual(2);
  const named = await skipped();
  const [open] = (await handle().describe()).info.recentActions;
  expect(named.length).toBeGreaterThanOrEqual(2);
  expect(named.every((time) => Date.parse(time) % 2000 === 0)).toBe(true);
  expect(named).not.toContain(open?.scheduledAt.toISOString());
  const [list, doctor] = await Promise.all([
    commandLine<{ id: string; skipped: string[] }[]>('schedules', 'list'),
    commandLine<{ checks: { check: string; state: string; detail: string }[] }>('doctor'),
  ]);
  const [night] = list.filter(({ id }) => id === 'daily-storage');
  // It goes on being skipped, every two seconds.
  expect(night?.skipped).toEqual(expect.arrayContaining(named));
  const found = doctor.checks.find(({ check }) => check === 'schedules');
  expect(found).toMatchObject({ state: 'warning' });
  expect(found?.detail).toContain(`daily-storage was skipped for ${named[0]?.slice(0, 10)}`);
});
