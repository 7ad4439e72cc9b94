/** The activities of `deliverUsage` and `sweepUsage`. */
import { deliveryLane, deliveryShardCount } from '../domain/ids.ts';
import type { Dependencies } from './dependencies.ts';
import { sendUsage } from './send-usage.ts';
import { deferUsage } from './settle-usage.ts';
import type { Deferred, DeferOrder, SendOutcome } from './settle-usage.ts';
import { layAsideUnreadable, unlessUnreadable } from './unreadable-usage.ts';

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
      await unlessUnreadable(
        deps,
        order.identifier,
        async () => await sendUsage(deps, order.identifier),
      ),
  };
}

export function createDeliveryActivities(deps: Dependencies) {
  /** What a shard has undelivered, the earliest due first. */
  async function listUndelivered(order: {
    shard: number;
  }): Promise<{ waiting: UndeliveredRecord[]; more: boolean }> {
    const nowMs = deps.now().getTime();
    const found = await deps.ledger.undelivered(order.shard, sweepSize);
    for (const { identifier, problem } of found.unreadable) {
      await layAsideUnreadable(deps, identifier, problem);
    }
    const waiting = found.waiting.map((record) => ({
      identifier: record.identifier,
      lane: deliveryLane(record.customerId, record.meter),
      dueInMs: Math.max(1, Date.parse(record.nextAttemptAt) - nowMs),
    }));
    return { waiting, more: waiting.length + found.unreadable.length === sweepSize };
  }

  /** Wakes the shards that hold something overdue. */
  async function wakeShards(): Promise<{ woken: number[] }> {
    const woken: number[] = [];
    let longestMs = 0;
    for (let shard = 0; shard < deliveryShardCount; shard += 1) {
      const {
        waiting: [first],
        unreadable,
      } = await deps.ledger.undelivered(shard, 1);
      if (unreadable.length > 0) {
        // Its shard lays it aside, and sends what is behind it.
        await deps.signals.requestSweep(shard);
        woken.push(shard);
      }
      if (first === undefined) continue;
      const dueForMs = deps.now().getTime() - Date.parse(first.nextAttemptAt);
      longestMs = Math.max(longestMs, dueForMs);
      if (dueForMs < overdueMs) continue;
      await deps.signals.requestSweep(shard);
      woken.push(shard);
    }
    deps.metrics.usageOverdue.set(longestMs / 1000);
    return { woken };
  }

  return {
    listUndelivered,
    wakeShards,
    deferUsage: async (order: DeferOrder): Promise<Deferred> => {
      const defer = async () => await deferUsage(deps, order);
      const deferred = await unlessUnreadable(deps, order.identifier, defer);
      return 'again' in deferred ? deferred : { again: false };
    },
  };
}
