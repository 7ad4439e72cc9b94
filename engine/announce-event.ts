/** Signal-with-start that a server can repeat: Temporal drops a request id that a run has seen. */
import { defaultPayloadConverter } from '@temporalio/common';
import { signalNames, startOptions, workflowTypes } from './contract.ts';
import type { CustomerInput, EventArrival } from '../domain/event-runs.ts';
import type { Place } from './start.ts';

/** WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, as the contract of `customer` says. */
const allowDuplicate = 1;

/** Starts `customer/<line>` when it does not run. The high-level client's random id would not dedupe. */
export async function announceEvent(
  { client, taskQueue }: Place,
  line: string,
  arrival: Required<EventArrival>,
): Promise<void> {
  const { eventId, again } = arrival;
  const input: CustomerInput = { line };
  const { workflowId, typedSearchAttributes } = startOptions('customer', input);
  await client.workflowService.signalWithStartWorkflowExecution({
    namespace: client.options.namespace,
    workflowId,
    workflowType: { name: workflowTypes.customer },
    taskQueue: { name: taskQueue },
    input: payloads(input),
    signalName: signalNames.stripeEvent,
    signalInput: payloads(arrival),
    // A redrive is a request of its own.
    requestId: again ? `${eventId}/again/${Date.now()}` : eventId,
    identity: 'durabill',
    workflowIdReusePolicy: allowDuplicate,
    searchAttributes: {
      indexedFields: Object.fromEntries(
        typedSearchAttributes.map(({ key, value }) => [key.name, indexed(key.type, value)]),
      ),
    },
  });
}

function payloads(value: unknown) {
  return { payloads: [defaultPayloadConverter.toPayload(value)] };
}

function indexed(type: 'KEYWORD' | 'INT', value: string | number) {
  const payload = defaultPayloadConverter.toPayload(value);
  const name = type === 'KEYWORD' ? 'Keyword' : 'Int';
  return { ...payload, metadata: { ...payload.metadata, type: new TextEncoder().encode(name) } };
}
