/** The activities of `deliverUsage` and `sweepUsage`. */
import { deliveryLane, deliveryShardCount } from '../domain/ids.ts';
import type { Dependencies } from './dependencies.ts';
import { sendUsage } from './send-usage.ts';
import { deferUsage } from './settle-usage.ts';
import type { Deferred, DeferOrder, SendOutcome } from './settle-usage.ts';

/** Records a shard takes from the ledger at a time. */
const sweepSize = 500;
/** Overdue for so long, a record was forgotten by its shard: that is what the schedule is for. */
const overdueMs = 60_000;

/** A record that waits in the ledger; the time is a wait, since a workflow's clock is Temporal's. */
export interface UndeliveredRecord {
  identifier: string;
  lane: string;
  dueInMs: number;
}

/** The one activity on the rate-limited queue: one run is at most one meter event. */
export function createSendActivities(deps: Dependencies) {
  return {
    sendUsage: async (order: { identifier: string }): Promise<SendOutcome> =>
      await sendUsage(deps, order.identifier),
  };
}

export function createDeliveryActivities(deps: Dependencies) {
  /** What a shard has undelivered, the earliest due first. */
  async function listUndelivered(order: {
    shard: number;
  }): Promise<{ waiting: UndeliveredRecord[]; more: boolean }> {
    const nowMs = deps.now().getTime();
    const found = await deps.ledger.undelivered(order.shard, sweepSize);
    const waiting = found.map((record) => ({
      identifier: record.identifier,
      lane: deliveryLane(record.customerId, record.meter),
      dueInMs: Math.max(1, Date.parse(record.nextAttemptAt) - nowMs),
    }));
    return { waiting, more: found.length === sweepSize };
  }

  /** Wakes the shards that hold something overdue. */
  async function wakeShards(): Promise<{ woken: number[] }> {
    const woken: number[] = [];
    for (let shard = 0; shard < deliveryShardCount; shard += 1) {
      const [first] = await deps.ledger.undelivered(shard, 1);
      if (first === undefined) continue;
      if (Date.parse(first.nextAttemptAt) > deps.now().getTime() - overdueMs) continue;
      await deps.signals.requestSweep(shard);
      woken.push(shard);
    }
    return { woken };
  }

  return {
    listUndelivered,
    wakeShards,
    deferUsage: async (order: DeferOrder): Promise<Deferred> => await deferUsage(deps, order),
  };
}
