/** What a processing was started with, for the time before its row is written. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { z } from 'zod';
import { workflowIds } from '../domain/ids.ts';
import type { ProcessingRequest } from '../domain/processing.ts';

const requestSchema = z.object({
  processingId: z.string(),
  customerId: z.string(),
  files: z.array(z.string()),
});

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
  return requestSchema.safeParse(defaultPayloadConverter.fromPayload(payload)).data;
}
