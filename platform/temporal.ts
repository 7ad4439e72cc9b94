/** The connection to Temporal, and the few things that more than one process does with it. */
import {
  Client,
  Connection,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { deliveryLane, deliveryShard, sourceWorkflowId, workflowIds } from '../domain/ids.ts';
import type { ProcessingRequest } from '../domain/processing.ts';
import { searchAttributes, signalNames, workflowTypes } from '../domain/temporal-names.ts';
import type { Usage, UsageSettled, UsageSource } from '../domain/usage.ts';
import type { Config, Environment } from './config.ts';

/** Address, API key and TLS as the Temporal CLI reads them (TEMPORAL_*), with our defaults. */
export function temporalConnectionOptions(config: Config, environment: Environment) {
  const overrideEnvVars = Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      name.startsWith('TEMPORAL_') && value !== undefined ? [[name, value]] : [],
    ),
  );
  const { connectionOptions } = loadClientConnectConfig({ disableFile: true, overrideEnvVars });
  return { ...connectionOptions, address: config.TEMPORAL_ADDRESS };
}

/** A client that connects when it is first used, so that a server starts while Temporal is away. */
export function createTemporalClient(
  config: Config,
  environment: Environment,
  connectTimeoutMs = 10_000,
): Client {
  const options = temporalConnectionOptions(config, environment);
  const connection = Connection.lazy({ ...options, connectTimeout: connectTimeoutMs });
  return new Client({ connection, namespace: config.TEMPORAL_NAMESPACE });
}

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
async function requestSweep(client: Client, taskQueue: string, shard: number): Promise<void> {
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

/** What activities say to workflows, without knowing how. */
export interface Signals {
  announceUsage: (usage: Pick<Usage, 'identifier' | 'customerId' | 'meter'>) => Promise<void>;
  requestSweep: (shard: number) => Promise<void>;
  /** Tells the workflow that made the usage how its delivery stands; it may have ended, and that is fine. */
  isBillRunning: (customerId: string, month: string) => Promise<boolean>;
  tellSource: (source: UsageSource, settled: UsageSettled) => Promise<void>;
}

export function createSignals(client: Client, taskQueue: string): Signals {
  return {
    announceUsage: async (usage) => {
      await announceUsage(client, taskQueue, usage);
    },
    requestSweep: async (shard) => {
      await requestSweep(client, taskQueue, shard);
    },
    isBillRunning: async (customerId, month) =>
      await isRunning(client, workflowIds.billCustomerStorage(customerId, month)),
    tellSource: async (source, settled) => {
      await tellSource(client, taskQueue, source, settled);
    },
  };
}

/**
 * Signals the workflow that made the usage. A storage bill that had given up is started once more when
 * its usage has arrived after all, so that its days are marked without anyone's help.
 */
async function tellSource(
  client: Client,
  taskQueue: string,
  source: UsageSource,
  settled: UsageSettled,
): Promise<void> {
  const workflowId = sourceWorkflowId(source);
  try {
    if (source.kind === 'storage' && settled.state === 'delivered') {
      const [customerId = '', month = ''] = source.id.split('/');
      await client.workflow.signalWithStart(workflowTypes.billCustomerStorage, {
        ...storageBillOptions(customerId, month),
        taskQueue,
        args: [{ customerId, month }],
        signal: signalNames.usageSettled,
        signalArgs: [settled],
      });
      return;
    }
    await client.workflow.getHandle(workflowId).signal(signalNames.usageSettled, settled);
  } catch (error) {
    const ended =
      error instanceof WorkflowNotFoundError ||
      error instanceof WorkflowExecutionAlreadyStartedError;
    if (!ended) throw error;
  }
}

async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** One customer's bill of a month: once it has succeeded, never again. */
function storageBillOptions(customerId: string, month: string) {
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
