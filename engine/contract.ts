/** What others may know of the workflows: names, inputs, outputs. Nothing here runs in a workflow. */
import type { QueuedDelivery } from '../domain/delivery-queue.ts';

export { queryNames, signalNames, workflowTypes } from '../domain/temporal-names.ts';
export type {
  ProcessingOutcome,
  ProcessingProgress,
  ProcessingRequest,
} from '../domain/processing.ts';
export type { UsageSettled } from '../domain/usage.ts';

/** Input of `aggregateStorage`. From a schedule it is empty: the day is the run's nominal one (SB1). */
export interface AggregateStorageInput {
  day?: string;
  /** Only these customers, after their dead letters were looked at. */
  only?: string[];
  /** What the run before handed over. */
  carried?: {
    runKey: string;
    chunks: number;
    nextChunk: number;
    startedAtMs: number;
    tally: AggregateStorageTally;
    failed: string[];
    /** Named in dead letters already. */
    laidAside?: number;
  };
}

export interface AggregateStorageTally {
  customers: number;
  /** Digits. */
  bytes: string;
  files: number;
}

/** Result, and query `progress`, of `aggregateStorage`. */
export interface AggregateStorageProgress extends AggregateStorageTally {
  day: string;
  failed: number;
  chunksDone: number;
  chunks: number;
  durationMs: number;
}

/** Input of `billStorage`. From a schedule it is empty: the month before the nominal one (SB8). */
export interface BillStorageInput {
  month?: string;
  /** Customers billed at the same time. */
  window?: number;
  /** What the run before handed over. */
  carried?: {
    after: string;
    more: boolean;
    waiting: string[];
    running: string[];
    startedAtMs: number;
    tally: BillStorageTally;
  };
}

export interface BillStorageTally {
  billed: number;
  failed: number;
  skipped: number;
  /** Digits. */
  bytes: string;
}

/** Result, and query `progress`, of `billStorage` (SB17). */
export interface BillStorageProgress extends BillStorageTally {
  month: string;
  running: number;
  durationMs: number;
}

export interface BillCustomerStorageInput {
  customerId: string;
  month: string;
}

export interface BillCustomerStorageResult {
  /** `skipped`: it was billed before. */
  state: 'billed' | 'skipped';
  bytes: string;
}

/** Input of `customer`: a line of events, and what the run before handed over. */
export interface CustomerInput {
  line: string;
  waiting?: string[];
  /** Events settled lately, the oldest first. */
  settled?: string[];
  tally?: { applied: number; dead: number };
}

/** Signal `stripeEvent`; `again` is a redrive. */
export interface EventArrival {
  eventId: string;
  again?: boolean;
}

/** Result, and query `progress`, of `customer`. */
export interface CustomerProgress {
  waiting: number;
  applied: number;
  dead: number;
}

/** Input of `catchUpWebhooks`; from the schedule it is empty: the last three days. */
export interface CatchUpInput {
  /** Day, UTC. */
  since?: string;
}

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
