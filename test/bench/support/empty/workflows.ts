/** The least that a workflow with an activity, or with children, can be: what Temporal itself costs. */
import { continueAsNew, executeChild, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type * as activities from './activities.ts';

const { nothing } = proxyActivities<typeof activities>({ startToCloseTimeout: '10 seconds' });

export async function emptyJob(): Promise<void> {
  await nothing();
}

/** Children that do nothing at all, so many at a time. */
export async function emptyChildren(order: { left: number; window: number }): Promise<void> {
  const { workflowId } = workflowInfo();
  let { left } = order;
  const take = async (): Promise<void> => {
    while (left > 0 && !workflowInfo().continueAsNewSuggested) {
      left -= 1;
      await executeChild(emptyChild, { workflowId: `${workflowId}/${left}`, args: [] });
    }
  };
  await Promise.all(Array.from({ length: order.window }, take));
  if (left > 0) await continueAsNew<typeof emptyChildren>({ left, window: order.window });
}

export async function emptyChild(): Promise<void> {
  await Promise.resolve();
}
