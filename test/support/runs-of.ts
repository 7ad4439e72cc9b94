/** What a workflow did, run after run. */
import type { Client, WorkflowHandle } from '@temporalio/client';

export type Events = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>;

/** The histories of a workflow's runs, first to last, from its first run on. */
export async function runsOf(
  client: Client,
  workflowId: string,
  firstRunId: string,
): Promise<Events[]> {
  const runs: Events[] = [];
  for (let runId = firstRunId; runId !== '';) {
    const handle = client.workflow.getHandle(workflowId, runId, { firstExecutionRunId: runId });
    const events = (await handle.fetchHistory()).events ?? [];
    runs.push(events);
    const last = events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes;
    runId = last?.newExecutionRunId ?? '';
  }
  return runs;
}
