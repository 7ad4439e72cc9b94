/**
 * Names that Temporal keeps: workflow types, signals, queries, search attributes, task queues. They
 * stand in histories and in other people's filters, so they change only with a migration.
 */
export const workflowTypes = {
  processFiles: 'processFiles',
  deliverUsage: 'deliverUsage',
  sweepUsage: 'sweepUsage',
  aggregateStorage: 'aggregateStorage',
  billStorage: 'billStorage',
  billCustomerStorage: 'billCustomerStorage',
  customer: 'customer',
  catchUpWebhooks: 'catchUpWebhooks',
  sweepWebhooks: 'sweepWebhooks',
  sendAlerts: 'sendAlerts',
  sweepAlerts: 'sweepAlerts',
  repairReservations: 'repairReservations',
} as const;

export const signalNames = {
  /** To `deliverUsage`: a record was written and wants delivery. */
  usageArrived: 'usageArrived',
  /** To `deliverUsage`: look into the ledger for what was left behind. */
  sweep: 'sweep',
  /** To `customer`: an event is in the inbox. */
  stripeEvent: 'stripeEvent',
  /** To the workflow that made the usage: its delivery ended or was put off. */
  usageSettled: 'usageSettled',
  /** To `sendAlerts`: an alert of its line waits. */
  alertRaised: 'alertRaised',
} as const;

export const queryNames = { progress: 'progress' } as const;

/** Registered by `durabill setup`; worth filtering by in the Temporal UI. */
export const searchAttributes = {
  CustomerId: 'KEYWORD',
  FileCount: 'INT',
  TotalBytes: 'INT',
  DeliveryShard: 'INT',
  BillingMonth: 'KEYWORD',
} as const;

/**
 * What moves bytes may take hours, what lists objects minutes, so each of them has slots of its own: a
 * long file holds up no delivery, no night and no bill (DL16).
 */
export function fileTaskQueue(taskQueue: string): string {
  return `${taskQueue}-files`;
}

export function listingTaskQueue(taskQueue: string): string {
  return `${taskQueue}-listing`;
}

/** The ledger's sweeps and deferrals, which a delivery needs at once (DL16). */
export function deliveryTaskQueue(taskQueue: string): string {
  return `${taskQueue}-delivery`;
}

/** Stripe calls run on a queue of their own, whose rate Temporal limits over all workers (DL4). */
export function stripeTaskQueue(taskQueue: string): string {
  return `${taskQueue}-stripe`;
}

/** Calls that read Stripe's objects, with a limit of their own: these endpoints take less. */
export function eventTaskQueue(taskQueue: string): string {
  return `${taskQueue}-events`;
}

/** Calls to the receiver of alerts, which may answer slowly or never: they hold up nothing else. */
export function alertTaskQueue(taskQueue: string): string {
  return `${taskQueue}-alerts`;
}

/** All that a worker serves: with one of them unserved some work would wait for ever. */
export function allTaskQueues(taskQueue: string): string[] {
  const others = [
    deliveryTaskQueue,
    stripeTaskQueue,
    eventTaskQueue,
    fileTaskQueue,
    listingTaskQueue,
    alertTaskQueue,
  ];
  return [taskQueue, ...others.map((name) => name(taskQueue))];
}
