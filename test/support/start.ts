/** Starts a workflow under an id of the test's own; its name decides what the input must be. */
import type {
  Client,
  WorkflowHandleWithFirstExecutionRunId,
  WorkflowHandleWithSignaledRunId,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import type {
  InputOf,
  SignalArgs,
  SignalOf,
  WorkflowName,
  WorkflowOf,
} from '../../engine/contract.ts';

interface Run {
  taskQueue: string;
  workflowId: string;
}

/** As Temporal starts it without any options: a search attribute need not be registered. */
export async function startAs<Name extends WorkflowName>(
  client: Client,
  run: Run,
  name: Name,
  input: InputOf<Name>,
): Promise<WorkflowHandleWithFirstExecutionRunId<WorkflowOf<Name>>> {
  const started = await client.workflow.start<Workflow>(name, { ...run, args: argsOf(input) });
  return started as unknown as WorkflowHandleWithFirstExecutionRunId<WorkflowOf<Name>>;
}

export async function signalAs<Name extends WorkflowName, Signal extends SignalOf<Name>>(
  client: Client,
  run: Run,
  name: Name,
  input: InputOf<Name>,
  [signal, ...signalArgs]: [Signal, ...SignalArgs<Name, Signal>],
): Promise<WorkflowHandleWithSignaledRunId<WorkflowOf<Name>>> {
  const options = { ...run, args: argsOf(input), signal, signalArgs };
  const started = await client.workflow.signalWithStart<Workflow, unknown[]>(name, options);
  return started as unknown as WorkflowHandleWithSignaledRunId<WorkflowOf<Name>>;
}

function argsOf(input: unknown): unknown[] {
  return input === undefined ? [] : [input];
}
