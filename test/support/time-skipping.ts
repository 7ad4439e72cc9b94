/** The time-skipping server: days pass in milliseconds. One environment a test, since time is its own. */
import type { WorkflowHandle } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { resolveTool } from '../../dev/tools/resolve.ts';
import {
  alertTaskQueue,
  deliveryTaskQueue,
  eventTaskQueue,
  fileTaskQueue,
  listingTaskQueue,
  searchAttributes,
  stripeTaskQueue,
} from '../../domain/temporal-names.ts';
import type { Activities, EventActivities, StripeActivities } from '../../activities/index.ts';

export const taskQueue = 'test';

/** Temporal's numbers for the types (temporal.api.enums.v1.IndexedValueType). */
const typeNumbers = { KEYWORD: 2, INT: 3 } as const;
const attributeTypes = Object.fromEntries(
  Object.entries(searchAttributes).map(([name, type]) => [name, typeNumbers[type]]),
);

/** Runs `story` with workers for the queues that it needs; activities that are not given fail the test loudly. */
export async function withTimeSkipping(
  activities: Partial<Activities & StripeActivities & EventActivities>,
  story: (env: TestWorkflowEnvironment) => Promise<void>,
): Promise<void> {
  const env = await startTimeSkipping();
  await env.connection.operatorService.addSearchAttributes({
    namespace: env.namespace ?? 'default',
    searchAttributes: attributeTypes,
  });
  const { sendUsage, applyEvents, processChunk, ...others } = activities;
  const { listUndelivered, deferUsage, wakeShards, ...rest } = others;
  const { planDay, aggregateChunk, aggregateCustomers, forgetPlan, ...remaining } = rest;
  const { removeOutputs, catchUpEvents, sweepEvents, sendNextAlert, ...main } = remaining;
  try {
    const common = { connection: env.nativeConnection, namespace: env.namespace ?? 'default' };
    const worker = await Worker.create({
      ...common,
      taskQueue,
      workflowBundle: { codePath: inject('workflowBundle') },
      activities: main,
    });
    const workers = [worker];
    for (const [queue, own] of [
      [stripeTaskQueue(taskQueue), { sendUsage }],
      [eventTaskQueue(taskQueue), { applyEvents }],
      [deliveryTaskQueue(taskQueue), { listUndelivered, deferUsage, wakeShards }],
      [fileTaskQueue(taskQueue), { processChunk }],
      [alertTaskQueue(taskQueue), { sendNextAlert }],
      [
        listingTaskQueue(taskQueue),
        {
          planDay,
          aggregateChunk,
          aggregateCustomers,
          forgetPlan,
          removeOutputs,
          catchUpEvents,
          sweepEvents,
        },
      ],
    ] as const) {
      if (Object.values(own).every((activity) => activity === undefined)) continue;
      workers.push(await Worker.create({ ...common, taskQueue: queue, activities: { ...own } }));
    }
    await workers.reduce<() => Promise<void>>(
      (inner, each) => async () => {
        await each.runUntil(inner());
      },
      async () => {
        await story(env);
      },
    )();
  } finally {
    await env.teardown();
  }
}

/**
 * How long each timer of a run was set to, in seconds, in order: what the workflow decided to wait. The times
 * at which its activities were scheduled have a busy machine's own seconds in them.
 */
export async function timersOf(handle: WorkflowHandle): Promise<number[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ timerStartedEventAttributes: timer }) => {
    const { seconds, nanos } = timer?.startToFireTimeout ?? {};
    return timer ? [Number(seconds ?? 0) + (nanos ?? 0) / 1e9] : [];
  });
}

/** The SDK gives a Java process five seconds to answer: on a busy machine it may take others. */
async function startTimeSkipping(startsLeft = 20): Promise<TestWorkflowEnvironment> {
  const { command } = await resolveTool('temporal-test-server');
  try {
    return await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path: command } },
    });
  } catch (error) {
    if (startsLeft <= 1 || !String(error).includes('did not start within')) throw error;
    return await startTimeSkipping(startsLeft - 1);
  }
}
