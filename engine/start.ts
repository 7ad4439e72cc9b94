/** Starts workflows as their contract says: its name decides what the input must be. */
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { startOptions } from './contract.ts';
import type { SignalArgs, SignalOf, StartOf, WorkflowName, WorkflowOf } from './contract.ts';

/** Where workflows are started. */
export interface Place {
  client: Client;
  taskQueue: string;
}

export async function startWorkflow<Name extends WorkflowName>(
  { client, taskQueue }: Place,
  name: Name,
  input: StartOf<Name>,
): Promise<WorkflowHandle<WorkflowOf<Name>>> {
  const options = { ...startOptions(name, input), taskQueue, args: argsOf(input) };
  return typed(await client.workflow.start<Workflow>(name, options));
}

/** Signals the run that is there, or one that is started for it. */
export async function signalWithStart<Name extends WorkflowName, Signal extends SignalOf<Name>>(
  { client, taskQueue }: Place,
  name: Name,
  input: StartOf<Name>,
  [signal, ...signalArgs]: [Signal, ...SignalArgs<Name, Signal>],
): Promise<WorkflowHandle<WorkflowOf<Name>>> {
  const started = await client.workflow.signalWithStart<Workflow, unknown[]>(name, {
    ...startOptions(name, input),
    workflowIdConflictPolicy: 'USE_EXISTING',
    taskQueue,
    args: argsOf(input),
    signal,
    signalArgs,
  });
  return typed(started);
}

/** The name stands for the type. */
function typed<Name extends WorkflowName>(
  handle: WorkflowHandle<Workflow>,
): WorkflowHandle<WorkflowOf<Name>> {
  return handle as unknown as WorkflowHandle<WorkflowOf<Name>>;
}

function argsOf(input: unknown): unknown[] {
  return input === undefined ? [] : [input];
}
