/** Builds the workers of one process, one for each task queue. */
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { NativeConnection, WorkflowBundleOption } from '@temporalio/worker';
import {
  createActivities,
  createEventActivities,
  createStripeActivities,
} from '../activities/index.ts';
import type { Dependencies } from '../activities/dependencies.ts';
import {
  alertTaskQueue,
  deliveryTaskQueue,
  eventTaskQueue,
  fileTaskQueue,
  listingTaskQueue,
  stripeTaskQueue,
} from '../domain/temporal-names.ts';
import type { Concurrency } from './connections.ts';

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

const shutdownGraceTime = '20 seconds' as const;

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

/**
 * Sends the SDK's own log lines to ours, warnings and worse; serves its metrics at `metricsAddress`, where
 * there is one. Throws when that is taken.
 */
export function installRuntime(
  write: (level: string, message: string) => void,
  metricsAddress?: string,
): void {
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message }) => {
      write(level, message);
    }),
    ...(metricsAddress === undefined
      ? {}
      : {
          telemetryOptions: {
            metrics: {
              prometheus: {
                bindAddress: metricsAddress,
                countersTotalSuffix: true,
                unitSuffix: true,
                useSecondsForDurations: true,
              },
            },
          },
        }),
  });
}

/**
 * Slots and pollers of the queues that carry activities only. Each kind of work has slots of its own, so
 * that what takes hours never holds up what takes milliseconds (DL16).
 */
const activityQueues = {
  delivery: { maxConcurrentActivityTaskExecutions: 40, maxConcurrentActivityTaskPolls: 4 },
  stripe: { maxConcurrentActivityTaskExecutions: 100, maxConcurrentActivityTaskPolls: 5 },
  events: { maxConcurrentActivityTaskExecutions: 50, maxConcurrentActivityTaskPolls: 5 },
  files: { maxConcurrentActivityTaskExecutions: 20, maxConcurrentActivityTaskPolls: 5 },
  listing: { maxConcurrentActivityTaskExecutions: 20, maxConcurrentActivityTaskPolls: 2 },
  alerts: { maxConcurrentActivityTaskExecutions: 10, maxConcurrentActivityTaskPolls: 2 },
} as const;

/** What these workers and their runs of storage do at the same time. */
export function concurrencyWith(listings: number): Concurrency {
  const slotsOf = (queue: keyof typeof activityQueues): number =>
    activityQueues[queue].maxConcurrentActivityTaskExecutions;
  const { maxConcurrentActivityTaskExecutions, maxConcurrentLocalActivityExecutions } =
    mainQueueSettings;
  return {
    tableTasks:
      maxConcurrentActivityTaskExecutions +
      maxConcurrentLocalActivityExecutions +
      slotsOf('delivery') +
      slotsOf('events'),
    singleTasks: slotsOf('stripe') + slotsOf('alerts'),
    fileTasks: slotsOf('files'),
    listingTasks: slotsOf('listing'),
    listings,
  };
}

/** Created, not yet running. */
export async function createWorkers(options: WorkerOptions, deps: Dependencies): Promise<Worker[]> {
  const { connection, namespace, taskQueue } = options;
  const common = { connection, namespace, shutdownGraceTime } as const;
  const activities = createActivities(deps);
  return await Promise.all([
    Worker.create({
      ...common,
      taskQueue,
      workflowBundle: options.workflowBundle,
      activities,
      ...mainQueueSettings,
    }),
    Worker.create({
      ...common,
      taskQueue: stripeTaskQueue(taskQueue),
      activities: createStripeActivities(deps),
      ...activityQueues.stripe,
      maxTaskQueueActivitiesPerSecond: options.deliveryRatePerSecond,
    }),
    Worker.create({
      ...common,
      taskQueue: eventTaskQueue(taskQueue),
      activities: createEventActivities(deps),
      ...activityQueues.events,
      maxTaskQueueActivitiesPerSecond: options.eventRatePerSecond,
    }),
    ...(
      [
        [deliveryTaskQueue, activityQueues.delivery],
        [fileTaskQueue, activityQueues.files],
        [listingTaskQueue, activityQueues.listing],
        [alertTaskQueue, activityQueues.alerts],
      ] as const
    ).map(
      async ([name, settings]) =>
        await Worker.create({ ...common, taskQueue: name(taskQueue), activities, ...settings }),
    ),
  ]);
}
