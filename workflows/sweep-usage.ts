/**
 * Wakes the shards that hold something overdue. A schedule runs it, for the case that a shard's own
 * workflow was lost or never heard of a record.
 */
import { deliveryActivities } from './activity-options.ts';

export async function sweepUsage(): Promise<{ woken: number[] }> {
  return await deliveryActivities().wakeShards();
}
