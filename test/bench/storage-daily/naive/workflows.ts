/** The daily run as it comes to mind first: a child workflow for each customer, ten at once. */
import { executeChild, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type * as activities from './activities.ts';

const { measureCustomer } = proxyActivities<typeof activities>({
  startToCloseTimeout: '1 minute',
  retry: { maximumAttempts: 3 },
});
const childrenAtOnce = 10;

export async function naiveDay(order: { day: string; customerIds: string[] }): Promise<void> {
  const left = order.customerIds.values();
  const { workflowId } = workflowInfo();
  const take = async (): Promise<void> => {
    for (const customerId of left) {
      await executeChild(naiveCustomer, {
        workflowId: `${workflowId}/${customerId}`,
        args: [{ day: order.day, customerId }],
      });
    }
  };
  await Promise.all(Array.from({ length: childrenAtOnce }, take));
}

export async function naiveCustomer(order: { day: string; customerId: string }): Promise<void> {
  await measureCustomer(order);
}
