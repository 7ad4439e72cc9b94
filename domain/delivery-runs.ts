/** What `deliverUsage` takes, hands over to itself, is told, and tells of its progress. */
import type { QueuedDelivery } from './delivery-queue.ts';

/** Signal `usageArrived`. */
export interface UsageArrival {
  identifier: string;
  lane: string;
}

export interface DeliverUsageInput {
  shard: number;
  /** Look into the ledger first. */
  sweep?: boolean;
  /** What the run before had waiting. */
  carried?: QueuedDelivery[];
  tally?: DeliveryTally;
  /** Stripe refused our key: nothing is sent until then, and with `probing` one record goes first. */
  halt?: { untilMs: number; probing: boolean };
}

/** Counted over all runs since the shard last had nothing to do. */
export interface DeliveryTally {
  delivered: number;
  laidAside: number;
  putOff: number;
}

/** Progress of `deliverUsage`. */
export interface DeliveryProgress extends DeliveryTally {
  shard: number;
  waiting: number;
  inFlight: number;
  haltedUntil?: string;
}
