/** Timeouts and retries of every activity, written out: none is left to a default. */
import {
  ActivityCancellationType,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities, EventActivities, StripeActivities } from '../activities/index.ts';
import {
  alertTaskQueue,
  deliveryTaskQueue,
  eventTaskQueue,
  fileTaskQueue,
  listingTaskQueue,
  stripeTaskQueue,
} from '../domain/temporal-names.ts';

/**
 * Short conditional writes to our own tables. Local: they ride on the workflow task, which saves the
 * server three events each. They wait out an outage of the store.
 */
export const tableActivities = proxyLocalActivities<Activities>({
  // Longer waits are the server's timers, so that an outage does not keep workflow tasks open.
  localRetryThreshold: '2 seconds',
  startToCloseTimeout: '10 seconds',
  scheduleToCloseTimeout: '3 days',
  retry: { initialInterval: '200 ms', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/**
 * The same writes where they may not be given up, however long the tables are away (FM17). Only the first
 * twelve tries (some four minutes) are local activities: each further try of those is an event, and of the
 * lasting ones it is none.
 */
export const briefTableActivities = proxyLocalActivities<Activities>({
  localRetryThreshold: '2 seconds',
  startToCloseTimeout: '10 seconds',
  retry: {
    initialInterval: '200 ms',
    backoffCoefficient: 2,
    maximumInterval: '1 minute',
    maximumAttempts: 12,
  },
});
export const lastingTableActivities = proxyActivities<Activities>({
  // No scheduleToCloseTimeout: what was read and written must be metered, or said to a person.
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '10 minutes' },
});

/** Small, but with more than one call, and worth seeing in the UI. */
export const housekeepingActivities = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '3 days',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/**
 * Sweeps and deferrals of the delivery, on a queue of their own (DL16). They give up soon: what they
 * could not do is found again by the next sweep, and no lane waits for it meanwhile.
 */
export function deliveryActivities(): Activities {
  return proxyActivities<Activities>({
    taskQueue: deliveryTaskQueue(workflowInfo().taskQueue),
    startToCloseTimeout: '20 seconds',
    scheduleToCloseTimeout: '1 minute',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '10 seconds' },
  });
}

/**
 * One try of an alert; what the receiver answers is the task's answer, so what is repeated here is a task that
 * was lost, or one that could not reach our tables.
 */
export function alertActivities(): Activities {
  return proxyActivities<Activities>({
    taskQueue: alertTaskQueue(workflowInfo().taskQueue),
    startToCloseTimeout: '30 seconds',
    scheduleToCloseTimeout: '3 days',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
  });
}

/** Moves bytes; hears of cancellation through its heartbeats, and is waited for. */
export function fileActivities(): Activities {
  return proxyActivities<Activities>({
    taskQueue: fileTaskQueue(workflowInfo().taskQueue),
    startToCloseTimeout: '12 hours',
    scheduleToCloseTimeout: '3 days',
    heartbeatTimeout: '10 seconds',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
  });
}

/** Lists objects, for minutes on end; a killed worker's successor goes on from the heartbeat. */
export function listingActivities(): Activities {
  return proxyActivities<Activities>({
    taskQueue: listingTaskQueue(workflowInfo().taskQueue),
    startToCloseTimeout: '6 hours',
    scheduleToCloseTimeout: '20 hours',
    heartbeatTimeout: '30 seconds',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
  });
}

/** Removes what a job has written: a listing and a call for each thousand. */
export function removalActivities(): Activities {
  return proxyActivities<Activities>({
    taskQueue: listingTaskQueue(workflowInfo().taskQueue),
    startToCloseTimeout: '1 minute',
    scheduleToCloseTimeout: '3 days',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
  });
}

/**
 * Calls to Stripe, on the queue that Temporal limits. The first round backs off by 1, 2 and 4 s; what
 * it cannot deliver is put off by the ledger, and later rounds are one try each.
 */
export function stripeActivities(taskQueue: string, round: 'first' | 'later'): StripeActivities {
  return proxyActivities<StripeActivities>({
    taskQueue: stripeTaskQueue(taskQueue),
    startToCloseTimeout: '15 seconds',
    scheduleToCloseTimeout: '1 hour',
    retry: {
      initialInterval: '1 second',
      backoffCoefficient: 2,
      maximumInterval: '10 seconds',
      maximumAttempts: round === 'first' ? 4 : 1,
    },
  });
}

/**
 * Applies events, on a queue whose rate Temporal limits. An event that fails is the task's answer, so what
 * is repeated here is only a task that was lost: with a worker, or on its way to one. The heartbeat tells
 * within 30 s. A single event makes up to 7 calls to Stripe (10 s each) and 13 to the tables (26 s, with the
 * one repeat); the first that fails ends its task, so only slow answers add up. To wait in the queue is no try.
 *
 * - `alone`: three times; three such tries and the waits between them are within WH6's hour.
 * - `together`: not repeated; its events go alone then, so that the one at fault is known.
 */
export function eventActivities(taskQueue: string, how: 'alone' | 'together'): EventActivities {
  return proxyActivities<EventActivities>({
    taskQueue: eventTaskQueue(taskQueue),
    heartbeatTimeout: '30 seconds',
    startToCloseTimeout: how === 'alone' ? '5 minutes' : '15 minutes',
    scheduleToCloseTimeout: '3 days',
    retry: {
      initialInterval: '1 second',
      backoffCoefficient: 3,
      maximumInterval: '10 seconds',
      maximumAttempts: how === 'alone' ? 3 : 1,
    },
  });
}
