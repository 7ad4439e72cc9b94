/** Signal-with-start that a server can repeat: Temporal drops a request id that a run has seen. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { workflowIds } from '../domain/ids.ts';
import { signalNames, workflowTypes } from '../domain/temporal-names.ts';

export interface EventAnnouncement {
  line: string;
  eventId: string;
  again: boolean;
}

/** Starts `customer/<line>` when it does not run. The high-level client's random id would not dedupe. */
export async function announceEvent(
  client: Client,
  taskQueue: string,
  { line, eventId, again }: EventAnnouncement,
): Promise<void> {
  const payloads = (value: unknown) => ({ payloads: [defaultPayloadConverter.toPayload(value)] });
  const isCustomer = line.startsWith('cus_');
  await client.workflowService.signalWithStartWorkflowExecution({
    namespace: client.options.namespace,
    workflowId: workflowIds.customer(line),
    workflowType: { name: workflowTypes.customer },
    taskQueue: { name: taskQueue },
    input: payloads({ line }),
    signalName: signalNames.stripeEvent,
    signalInput: payloads({ eventId, again }),
    // A redrive is a request of its own.
    requestId: again ? `${eventId}/again/${Date.now()}` : eventId,
    identity: 'durabill',
    workflowIdReusePolicy: 1,
    ...(isCustomer
      ? {
          searchAttributes: {
            indexedFields: { CustomerId: keyword(line) },
          },
        }
      : {}),
  });
}

function keyword(value: string) {
  const payload = defaultPayloadConverter.toPayload(value);
  const type = new TextEncoder().encode('Keyword');
  return { ...payload, metadata: { ...payload.metadata, type } };
}
