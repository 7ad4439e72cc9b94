/** What others may know of the workflows: names, inputs, outputs. Nothing here runs in a workflow. */
import type { QueuedDelivery } from '../domain/delivery-queue.ts';

export { queryNames, signalNames, workflowTypes } from '../domain/temporal-names.ts';
export type {
  ProcessingOutcome,
  ProcessingProgress,
  ProcessingRequest,
} from '../domain/processing.ts';
export type { UsageSettled } from '../domain/usage.ts';

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
}

/** Counted over all runs since the shard last had nothing to do. */
export interface DeliveryTally {
  delivered: number;
  laidAside: number;
  putOff: number;
}

/** Query `progress` of `deliverUsage`. */
export interface DeliveryProgress extends DeliveryTally {
  shard: number;
  waiting: number;
  inFlight: number;
  haltedUntil?: string;
}
