/** One run over a customer's files. */
import type { Cast } from './casts.ts';
import { BillingError } from './errors.ts';
import type { DeliveryState } from './usage.ts';

export type ProcessingStatus = 'in_progress' | 'completed' | 'failed';

/** The order that `processFiles` carries out; `files` are relative to the customer's input prefix. */
export interface ProcessingRequest {
  processingId: string;
  customerId: string;
  files: string[];
  /** When a call of the guarded API made it. */
  cast?: Cast;
}

/** What a processing's id stands for, for good. */
interface JobFacts {
  customerId: string;
  /** Of its ordered list of files. */
  filesDigest: string;
}

/** The same id for another customer or other files is another job, and refused (FM1). */
export function refuseOtherJob(processingId: string, begun: JobFacts, asked: JobFacts): void {
  const differing = [
    ...(begun.customerId === asked.customerId ? [] : ['another customer']),
    ...(begun.filesDigest === asked.filesDigest ? [] : ['other files']),
  ];
  if (differing.length === 0) return;
  throw new BillingError(
    'conflict',
    `processing ${processingId} was submitted before with ${differing.join(' and ')}: choose another id`,
  );
}

/** What became of one file. `sha256` is of the input, in hex; `bytes` is its size. */
export interface FileResult {
  key: string;
  bytes: number;
  outputKey: string;
  sha256: string;
}

export interface ProcessingProgress {
  step: 'starting' | 'processing' | 'recording' | 'delivering' | 'undoing' | 'done';
  fileCount: number;
  filesDone: number;
  bytesDone: number;
}

export interface ProcessingOutcome {
  processingId: string;
  status: 'completed';
  fileCount: number;
  totalBytes: number;
  /** Where the delivery of the usage stood when the workflow ended; the sweeper goes on with the rest. */
  delivery: DeliveryState;
  deliveryError?: string;
}

/** Sums bytes; a job past 2^53 bytes (9 petabytes) is refused rather than counted inexactly. */
export function addBytes(total: number, bytes: number): number {
  const sum = total + bytes;
  if (!Number.isSafeInteger(bytes) || bytes < 0 || !Number.isSafeInteger(sum)) {
    throw new BillingError(
      'too_large',
      'the job is larger than can be counted exactly (2^53 bytes)',
    );
  }
  return sum;
}
