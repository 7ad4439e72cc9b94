/** Builds the workers of one process: one for the main queue, one for the rate-limited Stripe queue. */
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { NativeConnection, WorkflowBundleOption } from '@temporalio/worker';
import {
  createActivities,
  createEventActivities,
  createStripeActivities,
} from '../activities/index.ts';
import type { Dependencies } from '../activities/dependencies.ts';
import { eventTaskQueue, stripeTaskQueue } from '../domain/temporal-names.ts';

export interface WorkerOptions {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  workflowBundle: WorkflowBundleOption;
  /** Meter events a second, over all workers together. */
  deliveryRatePerSecond: number;
  /** Tasks that apply Stripe events, a second, over all workers together. */
  eventRatePerSecond: number;
}

const shutdownGraceTime = '20 seconds';

/** Of the main queue's worker; the benchmark's peer runs with the same. */
export const mainQueueSettings = {
  maxCachedWorkflows: 500,
  maxConcurrentWorkflowTaskExecutions: 100,
  maxConcurrentActivityTaskExecutions: 20,
  maxConcurrentLocalActivityExecutions: 100,
  maxConcurrentWorkflowTaskPolls: 10,
  maxConcurrentActivityTaskPolls: 5,
  shutdownGraceTime,
} as const;

/** Sends the SDK's own log lines to ours, warnings and worse. */
export function installRuntime(write: (level: string, message: string) => void): void {
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message }) => {
      write(level, message);
    }),
  });
}

/** Created, not yet running. */
export async function createWorkers(
  options: WorkerOptions,
  deps: Dependencies,
): Promise<[Worker, Worker, Worker]> {
  const { connection, namespace, taskQueue } = options;
  return await Promise.all([
    Worker.create({
      connection,
      namespace,
      taskQueue,
      workflowBundle: options.workflowBundle,
      activities: createActivities(deps),
      ...mainQueueSettings,
    }),
    Worker.create({
      connection,
      namespace,
      taskQueue: stripeTaskQueue(taskQueue),
      activities: createStripeActivities(deps),
      maxConcurrentActivityTaskExecutions: 100,
      maxConcurrentActivityTaskPolls: 5,
      maxTaskQueueActivitiesPerSecond: options.deliveryRatePerSecond,
      shutdownGraceTime,
    }),
    Worker.create({
      connection,
      namespace,
      taskQueue: eventTaskQueue(taskQueue),
      activities: createEventActivities(deps),
      maxConcurrentActivityTaskExecutions: 50,
      maxConcurrentActivityTaskPolls: 5,
      maxTaskQueueActivitiesPerSecond: options.eventRatePerSecond,
      shutdownGraceTime,
    }),
  ]);
}
