/** What activities are given: real clients from the worker, others from tests. */
import type { S3Client } from '@aws-sdk/client-s3';
import type Stripe from 'stripe';
import type { AverageOver } from '../domain/storage.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Signals } from '../engine/signals.ts';
import type { Customers } from '../tables/customers.ts';
import type { DeadLetters } from '../tables/dead-letters.ts';
import type { Payments } from '../tables/payments.ts';
import type { ProcessingHistory } from '../tables/processing-history.ts';
import type { StorageDaily } from '../tables/storage-daily.ts';
import type { StorageMonthly } from '../tables/storage-monthly.ts';
import type { Subscriptions } from '../tables/subscriptions.ts';
import type { UsageLedger } from '../tables/usage-ledger.ts';
import type { WebhookEvents } from '../tables/webhook-events.ts';
import type { Processor } from './processor.ts';

export interface Dependencies {
  s3: S3Client;
  bucket: string;
  /** Undefined when billing is off. */
  stripe: Stripe | undefined;
  signals: Signals;
  ledger: UsageLedger;
  processings: ProcessingHistory;
  customers: Customers;
  storageDaily: StorageDaily;
  storageMonthly: StorageMonthly;
  webhookEvents: WebhookEvents;
  subscriptions: Subscriptions;
  payments: Payments;
  deadLetters: DeadLetters;
  processor: Processor;
  /** A job's list of files as one short text. */
  digestFiles: (files: readonly string[]) => string;
  /** Listings of objects at the same time. */
  listingsAtOnce: number;
  averageOver: AverageOver;
  /** The plan of a customer that is first heard of by a webhook. */
  planDefault: string;
  logger: Logger;
  metrics: Metrics;
  now: () => Date;
}
