/** The time-skipping server: days pass in milliseconds. One environment a test, since time is its own. */
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { resolveTool } from '../../dev/tools/resolve.ts';
import { stripeTaskQueue } from '../../domain/temporal-names.ts';
import type { Activities, StripeActivities } from '../../activities/index.ts';

export const taskQueue = 'test';

/** Runs `story` with workers for both queues; activities that are not given fail the test loudly. */
export async function withTimeSkipping(
  activities: Partial<Activities & StripeActivities>,
  story: (env: TestWorkflowEnvironment) => Promise<void>,
): Promise<void> {
  const tool = await resolveTool('temporal-test-server');
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: tool.command } },
  });
  const { sendUsage, ...main } = activities;
  try {
    const common = { connection: env.nativeConnection, namespace: env.namespace ?? 'default' };
    const workers = await Promise.all([
      Worker.create({
        ...common,
        taskQueue,
        workflowBundle: { codePath: inject('workflowBundle') },
        activities: main,
      }),
      Worker.create({
        ...common,
        taskQueue: stripeTaskQueue(taskQueue),
        activities: { sendUsage },
      }),
    ]);
    const [first, second] = workers;
    await first.runUntil(second.runUntil(story(env)));
  } finally {
    await env.teardown();
  }
}
