/** The least that a workflow with an activity can be: what Temporal itself costs. */
import { proxyActivities } from '@temporalio/workflow';
import type * as activities from './activities.ts';

const { nothing } = proxyActivities<typeof activities>({ startToCloseTimeout: '10 seconds' });

export async function emptyJob(): Promise<void> {
  await nothing();
}
