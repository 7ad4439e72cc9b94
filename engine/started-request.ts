/** What a processing was started with, for the time before its row is written. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { workflowIds } from '../domain/ids.ts';
import type { ProcessingRequest } from '../domain/processing.ts';

/** The input of the newest run with that id; undefined when it cannot be read. */
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
