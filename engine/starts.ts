/** Starting and telling workflows, over a client of Temporal. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { deliveryLane, deliveryShard, workflowIds } from '../domain/ids.ts';
import type { ProcessingRequest } from '../domain/processing.ts';
import { searchAttributes, signalNames, workflowTypes } from '../domain/temporal-names.ts';
import type { Usage } from '../domain/usage.ts';

const customerIdKey = defineSearchAttributeKey('CustomerId', searchAttributes.CustomerId);
const fileCountKey = defineSearchAttributeKey('FileCount', searchAttributes.FileCount);
const billingMonthKey = defineSearchAttributeKey('BillingMonth', searchAttributes.BillingMonth);
const deliveryShardKey = defineSearchAttributeKey('DeliveryShard', searchAttributes.DeliveryShard);

/** Starts a processing; `started` is false when that id was started before, running or not (FM1). */
export async function startProcessing(
  client: Client,
  taskQueue: string,
  request: ProcessingRequest,
): Promise<{ workflowId: string; started: boolean }> {
  const workflowId = workflowIds.processFiles(request.processingId);
  try {
    await client.workflow.start(workflowTypes.processFiles, {
      taskQueue,
      workflowId,
      args: [request],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      typedSearchAttributes: new TypedSearchAttributes([
        { key: customerIdKey, value: request.customerId },
        { key: fileCountKey, value: request.files.length },
      ]),
    });
    return { workflowId, started: true };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return { workflowId, started: false };
  }
}

/** Tells the delivery of a record's shard that it waits, starting that workflow when it does not run. */
export async function announceUsage(
  client: Client,
  taskQueue: string,
  usage: Pick<Usage, 'identifier' | 'customerId' | 'meter'>,
): Promise<void> {
  const lane = deliveryLane(usage.customerId, usage.meter);
  const arrival = { identifier: usage.identifier, lane };
  const shard = deliveryShard(usage.customerId, usage.meter);
  await signalDelivery(client, taskQueue, shard, signalNames.usageArrived, [arrival]);
}

/** Asks a shard's delivery to look into the ledger for what was left behind. */
export async function requestSweep(
  client: Client,
  taskQueue: string,
  shard: number,
): Promise<void> {
  await signalDelivery(client, taskQueue, shard, signalNames.sweep, []);
}

async function signalDelivery(
  client: Client,
  taskQueue: string,
  shard: number,
  signal: string,
  signalArgs: unknown[],
): Promise<void> {
  await client.workflow.signalWithStart(workflowTypes.deliverUsage, {
    taskQueue,
    workflowId: workflowIds.deliverUsage(shard),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    args: [{ shard }],
    signal,
    signalArgs,
    typedSearchAttributes: new TypedSearchAttributes([{ key: deliveryShardKey, value: shard }]),
  });
}

/** One customer's bill of a month: once it has succeeded, never again. */
export function storageBillOptions(customerId: string, month: string) {
  return {
    workflowId: workflowIds.billCustomerStorage(customerId, month),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' as const,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: customerIdKey, value: customerId },
      { key: billingMonthKey, value: month },
    ]),
  };
}

/**
 * Starts a day's run by hand; one that runs already is answered as it is. With a customer it measures
 * that one alone, after its dead letter was looked at.
 */
export async function startDay(
  client: Client,
  taskQueue: string,
  { day, customerId }: { day: string; customerId?: string },
): Promise<string> {
  const all = customerId === undefined;
  const workflowId = all
    ? workflowIds.aggregateStorage(day)
    : workflowIds.aggregateCustomerStorage(day, customerId);
  const found = all ? [] : [{ key: customerIdKey, value: customerId }];
  await client.workflow.start(workflowTypes.aggregateStorage, {
    taskQueue,
    workflowId,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [all ? { day } : { day, only: [customerId] }],
    typedSearchAttributes: new TypedSearchAttributes(found),
  });
  return workflowId;
}

/** Starts the monthly run by hand; one that runs already is answered as it is. */
export async function startMonth(
  client: Client,
  taskQueue: string,
  input: { month: string },
): Promise<string> {
  const workflowId = workflowIds.billStorage(input.month);
  await client.workflow.start(workflowTypes.billStorage, {
    taskQueue,
    workflowId,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [input],
    typedSearchAttributes: new TypedSearchAttributes([
      { key: billingMonthKey, value: input.month },
    ]),
  });
  return workflowId;
}

/** Bills one customer's month again, after its dead letter was looked at. */
export async function startStorageBill(
  client: Client,
  taskQueue: string,
  order: { customerId: string; month: string },
): Promise<boolean> {
  try {
    await client.workflow.start(workflowTypes.billCustomerStorage, {
      ...storageBillOptions(order.customerId, order.month),
      taskQueue,
      args: [order],
    });
    return true;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return false;
  }
}

/**
 * Starts a catch-up of Stripe's events by hand; one that runs already is answered as it is. `since` is
 * a day (UTC), the last three when left out.
 */
export async function startCatchUp(
  client: Client,
  taskQueue: string,
  since: string | undefined,
): Promise<string> {
  const workflowId = workflowIds.catchUpWebhooks(since);
  await client.workflow.start(workflowTypes.catchUpWebhooks, {
    taskQueue,
    workflowId,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [since === undefined ? {} : { since }],
  });
  return workflowId;
}
