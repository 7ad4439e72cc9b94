/** The connection to Temporal, and the few things that more than one process does with it. */
import {
  Client,
  Connection,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { deliveryLane, deliveryShard, workflowIds } from '../domain/ids.ts';
import type { ProcessingRequest } from '../domain/processing.ts';
import { searchAttributes, signalNames, workflowTypes } from '../domain/temporal-names.ts';
import type { Usage, UsageSettled } from '../domain/usage.ts';
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
  tellSource: (workflowId: string, settled: UsageSettled) => Promise<void>;
}

export function createSignals(client: Client, taskQueue: string): Signals {
  return {
    announceUsage: async (usage) => {
      await announceUsage(client, taskQueue, usage);
    },
    requestSweep: async (shard) => {
      await requestSweep(client, taskQueue, shard);
    },
    tellSource: async (workflowId, settled) => {
      try {
        await client.workflow.getHandle(workflowId).signal(signalNames.usageSettled, settled);
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
  };
}
