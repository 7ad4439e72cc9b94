/** What the runs over all customers' storage take, hand over to themselves, and tell of their progress. */

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

/** Result and progress of `aggregateStorage`. */
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
    running: BillRun[];
    startedAtMs: number;
    tally: BillStorageTally;
  };
}

/** A run of `billCustomerStorage`. */
export interface BillRun {
  customerId: string;
  runId: string;
}

export interface BillStorageTally {
  billed: number;
  failed: number;
  skipped: number;
  /** Digits. */
  bytes: string;
}

/** Result and progress of `billStorage` (SB17). */
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
  /** `skipped`: another run billed it, or a person discarded it. */
  state: 'billed' | 'skipped';
  bytes: string;
}
