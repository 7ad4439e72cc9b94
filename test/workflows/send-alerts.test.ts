import { Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import { queryNames, signalNames } from '../../engine/contract.ts';
import type { SendAlertsProgress } from '../../domain/alert-runs.ts';
import { signalAs } from '../support/start.ts';
import { taskQueue, withTimeSkipping } from '../support/time-skipping.ts';

const dayMs = 86_400_000;
const run = { taskQueue, workflowId: 'alerts/cus_1' };

type Answer = { taken: true } | { taken: false; isFinal?: boolean; retryAfterMs?: number };

/** A line of alerts in memory, each with the time at which it was raised (the first try's, if none is given). */
function lineOf(alertIds: string[], answer: (alertId: string, nowMs: number) => Answer) {
  const waiting = [...alertIds];
  const raisedAtMs = new Map<string, number>();
  const posts: { alertId: string; atMs: number }[] = [];
  const givenUp: { alertId: string; tries: number; error: string; line: string }[] = [];
  const activities: Partial<Activities> = {
    sendNextAlert: async () => {
      await Promise.resolve();
      const { currentAttemptScheduledTimestampMs: atMs } = Context.current().info;
      // All are raised when the first of them is looked at.
      for (const alertId of waiting) {
        if (!raisedAtMs.has(alertId)) raisedAtMs.set(alertId, atMs);
      }
      const [alertId] = waiting;
      if (alertId === undefined) return { state: 'none' };
      posts.push({ alertId, atMs });
      const said = answer(alertId, atMs);
      if (said.taken) {
        waiting.shift();
        return { state: 'sent' };
      }
      const { isFinal = false, retryAfterMs } = said;
      const left = (raisedAtMs.get(alertId) ?? 0) + 3 * dayMs - atMs;
      const patienceMs = isFinal ? 0 : Math.max(0, left);
      const asked = retryAfterMs === undefined ? {} : { retryAfterMs };
      return { state: 'failed', alertId, error: 'no', patienceMs, ...asked };
    },
    giveUpAlert: async (order) => {
      await Promise.resolve(waiting.shift());
      givenUp.push(order);
    },
  };
  return { waiting, posts, givenUp, activities };
}

async function raise(env: TestWorkflowEnvironment) {
  return await signalAs(env.client, run, 'sendAlerts', { line: 'cus_1' }, [
    signalNames.alertRaised,
  ]);
}

test('GA16 tried for three days and then given up; those behind it have their turn', async () => {
  const { posts, givenUp, activities } = lineOf(['dead', 'b', 'c'], (alertId) => ({
    taken: alertId !== 'dead',
  }));
  await withTimeSkipping(activities, async (env) => {
    expect(await (await raise(env)).result()).toEqual({ sent: 2, exhausted: 1 });
  });
  const tries = posts.filter(({ alertId }) => alertId === 'dead');
  expect(posts.map(({ alertId }) => alertId)).toEqual([...tries.map(() => 'dead'), 'b', 'c']);
  expect(givenUp).toEqual([{ line: 'cus_1', alertId: 'dead', tries: tries.length, error: 'no' }]);
  const lasted = (tries.at(-1)?.atMs ?? 0) - (tries[0]?.atMs ?? 0);
  expect(lasted).toBeGreaterThanOrEqual(3 * dayMs);
  expect(lasted).toBeLessThan(3 * dayMs + 3_600_000);
  // 5 s, 25 s, 2 min, 10 min, 52 min, then every hour, and once more at the very end.
  expect(tries).toHaveLength(77);
});

test('GA16 one after the other: nobody overtakes, what is final goes at once, a Retry-After is kept', async () => {
  const answers: Answer[] = [
    { taken: true },
    { taken: false },
    { taken: false, retryAfterMs: 600_000 },
    { taken: true },
    { taken: false, isFinal: true },
    { taken: true },
  ];
  const { posts, givenUp, activities } = lineOf(
    ['first', 'refused', 'gone', 'last'],
    () => answers[posts.length - 1] ?? { taken: true },
  );
  await withTimeSkipping(activities, async (env) => {
    expect(await (await raise(env)).result()).toEqual({ sent: 3, exhausted: 1 });
  });
  const order = ['first', 'refused', 'refused', 'refused', 'gone', 'last'];
  expect(posts.map(({ alertId }) => alertId)).toEqual(order);
  expect(givenUp).toEqual([{ line: 'cus_1', alertId: 'gone', tries: 1, error: 'no' }]);
  const waits = posts.slice(1, 4).map(({ atMs }, index, all) => (all[index + 1]?.atMs ?? 0) - atMs);
  expect(waits[0]).toBeGreaterThanOrEqual(5000);
  expect(waits[1]).toBeGreaterThanOrEqual(600_000);
});

test('GA16 I8 one that is raised while the line is read is sent; the query says what is waited for', async () => {
  let isAway = true;
  const { waiting, activities } = lineOf([], () => ({ taken: !isAway }));
  const late: { tell?: () => Promise<void> } = { tell: async () => await Promise.resolve() };
  const read = activities.sendNextAlert;
  const reading: Partial<Activities> = {
    ...activities,
    sendNextAlert: async (order) => {
      const answer = (await read?.(order)) ?? { state: 'none' };
      // Kept and announced after the table was read, and before this look is answered.
      const { tell } = late;
      delete late.tell;
      await tell?.();
      return answer;
    },
  };
  await withTimeSkipping(reading, async (env) => {
    late.tell = async () => {
      waiting.push('late');
      await env.client.workflow.getHandle(run.workflowId).signal(signalNames.alertRaised);
    };
    const sender = await raise(env);
    const progress = async () => await sender.query<SendAlertsProgress>(queryNames.progress);
    const trouble = { alertId: 'late', error: 'no' };
    await expect.poll(progress, { timeout: 300_000 }).toMatchObject({ sent: 0, trouble });
    isAway = false;
    expect(await sender.result()).toEqual({ sent: 1, exhausted: 0 });
  });
});
