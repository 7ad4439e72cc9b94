export interface FileMeteringOptions {
  jobs: number;
  customers: number;
  concurrency: number;
  fileBytes: number;
  largeBytes: number;
  json: boolean;
  keep: boolean;
}

/** Bytes that were processed, by customer: what must be in the ledger and at Stripe. */
export type Processed = Map<string, bigint>;
