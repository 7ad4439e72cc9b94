/** What Temporal and its workflows answer: who runs, how far, how it ended, and what it was started with. */
import { isGrpcServiceError, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter, rootCause } from '@temporalio/common';
import { BillingError } from '../domain/errors.ts';
import { workflowIds } from '../domain/ids.ts';
import type { ProcessingRequest } from '../domain/processing.ts';
import { queryNames } from './contract.ts';
import type { ProgressOf, ResultOf, WorkflowName } from './contract.ts';

/** google.rpc.Code */
const [notFound, permissionDenied] = [5, 7];

/** Temporal answers and has our namespace; else BillingError `not_found`, or what the call failed with. */
export async function requireNamespace(client: Client): Promise<void> {
  const { namespace } = client.options;
  try {
    await client.workflowService.describeNamespace({ namespace });
  } catch (error) {
    const code = isGrpcServiceError(error) ? error.code : undefined;
    // Namespaces may be described by few; that they are refused says that the server answers.
    if (code === permissionDenied) return;
    if (code !== notFound) throw error;
    throw new BillingError(
      'not_found',
      `Temporal has no namespace "${namespace}": create it ` +
        `(temporal operator namespace create --namespace ${namespace}) or set TEMPORAL_NAMESPACE`,
    );
  }
}

/** False as well for one that ended so long ago that Temporal has forgotten it. */
export async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** What the workflow itself says of its progress; it needs a worker. */
export async function readProgress<Name extends WorkflowName>(
  client: Client,
  workflowId: string,
): Promise<ProgressOf<Name>> {
  return await client.workflow.getHandle(workflowId).query<ProgressOf<Name>>(queryNames.progress);
}

export type Outcome<Result> = { result: Result } | { failure: string };

/** How a workflow that has ended came out. */
export async function readOutcome<Name extends WorkflowName>(
  client: Client,
  workflowId: string,
): Promise<Outcome<ResultOf<Name>>> {
  try {
    const result: unknown = await client.workflow.getHandle(workflowId).result();
    return { result: result as ResultOf<Name> };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return { failure: rootCause(error.cause) ?? error.message };
  }
}

/**
 * What the newest run with that id was started with, for the time before its row is written; undefined
 * when it cannot be read.
 */
export async function readStartedRequest(
  client: Client,
  processingId: string,
): Promise<ProcessingRequest | undefined> {
  const answer = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId: workflowIds.processFiles(processingId) },
    maximumPageSize: 1,
  });
  const started = answer.history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  const [payload] = started?.input?.payloads ?? [];
  if (payload === undefined) return undefined;
  const input: unknown = defaultPayloadConverter.fromPayload(payload);
  return isRequest(input) ? input : undefined;
}

function isRequest(input: unknown): input is ProcessingRequest {
  if (typeof input !== 'object' || input === null) return false;
  const { processingId, customerId, files } = input as Partial<Record<string, unknown>>;
  const named = typeof processingId === 'string' && typeof customerId === 'string';
  return named && Array.isArray(files) && files.every((file) => typeof file === 'string');
}
