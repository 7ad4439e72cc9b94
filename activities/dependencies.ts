/** What activities are given: real clients from the worker, others from tests. */
import type { S3Client } from '@aws-sdk/client-s3';
import type Stripe from 'stripe';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Signals } from '../platform/temporal.ts';
import type { DeadLetters } from '../tables/dead-letters.ts';
import type { ProcessingHistory } from '../tables/processing-history.ts';
import type { UsageLedger } from '../tables/usage-ledger.ts';
import type { Processor } from './processor.ts';

export interface Dependencies {
  s3: S3Client;
  bucket: string;
  /** Undefined when billing is off. */
  stripe: Stripe | undefined;
  signals: Signals;
  ledger: UsageLedger;
  processings: ProcessingHistory;
  deadLetters: DeadLetters;
  processor: Processor;
  logger: Logger;
  metrics: Metrics;
  now: () => Date;
}
