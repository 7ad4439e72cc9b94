/** What activities are given: real clients from the worker, others from tests. */
import type { S3Client } from '@aws-sdk/client-s3';
import type Stripe from 'stripe';
import type { AverageOver } from '../domain/storage.ts';
import type { AlertReceiver } from '../platform/alert-receiver.ts';
import type { RaiseAlert } from '../platform/alerts.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Signals } from '../engine/engine.ts';
import type { Tables } from '../tables/open.ts';
import type { Processor } from './processor.ts';

export interface Dependencies extends Tables {
  s3: S3Client;
  bucket: string;
  /** Undefined when billing is off. */
  stripe: Stripe | undefined;
  signals: Signals;
  processor: Processor;
  /** A job's list of files as one short text. */
  digestFiles: (files: readonly string[]) => string;
  /** Listings of objects at the same time. */
  listingsAtOnce: number;
  averageOver: AverageOver;
  /** The plan of a customer that is first heard of by a webhook. */
  planDefault: string;
  /** Tells a person; it never fails. */
  raiseAlert: RaiseAlert;
  /** Undefined when alerts are log lines and metrics only. */
  alertReceiver: AlertReceiver | undefined;
  logger: Logger;
  metrics: Metrics;
  now: () => Date;
  /** Temporal's time, which DURABILL_CLOCK does not move. */
  wallClock: () => Date;
}
