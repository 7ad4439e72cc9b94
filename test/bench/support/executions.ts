/** What Temporal knows of workflow executions: when they closed, and how many events they took. */
import type { Client } from '@temporalio/client';
import { countActions } from './actions.ts';
import type { ActionCount } from './actions.ts';

export interface Execution {
  workflowId: string;
  runId: string;
  startMs: number;
  closeMs: number;
  events: number;
}

export async function countRunning(client: Client, workflowType: string): Promise<number> {
  const query = `WorkflowType = '${workflowType}' AND ExecutionStatus = 'Running'`;
  return (await client.workflow.count(query)).count;
}

/** Executions of a type that were started at `sinceMs` or later; all must have closed. */
export async function listClosed(
  client: Client,
  workflowType: string,
  sinceMs: number,
): Promise<Execution[]> {
  const since = new Date(sinceMs).toISOString();
  const query = `WorkflowType = '${workflowType}' AND StartTime >= '${since}'`;
  const found: Execution[] = [];
  for await (const info of client.workflow.list({ query })) {
    const { workflowId, runId } = info;
    if (info.closeTime === undefined) throw new Error(`${workflowId} is still ${info.status.name}`);
    found.push({
      workflowId,
      runId,
      startMs: info.startTime.getTime(),
      closeMs: info.closeTime.getTime(),
      events: info.historyLength,
    });
  }
  return found;
}

/** Counted from the histories of these executions. */
export async function actionsOf(
  client: Client,
  executions: readonly Execution[],
): Promise<ActionCount[]> {
  const counts: ActionCount[] = [];
  for (const { workflowId, runId } of executions) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    counts.push(countActions(history.events ?? []));
  }
  return counts;
}
