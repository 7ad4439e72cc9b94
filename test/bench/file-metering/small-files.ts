/** The small jobs and their files. */
import { createHash } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { inputKey } from '../../../domain/files.ts';
import type { FileMeteringOptions } from './options.ts';
import type { BenchmarkContext } from '../support/benchmark.ts';
import { concurrently } from '../support/concurrently.ts';
import type { BenchStack } from '../support/stack.ts';

/** As many as the worker handles files at a time (worker/run.ts, activities at once). */
export const objectsAtOnce = 20;

export interface SmallJob {
  processingId: string;
  customerId: string;
  file: string;
  bytes: number;
}

/** The jobs go round the customers, so that neighbours are of different ones. */
export function orders(
  kind: string,
  options: Pick<FileMeteringOptions, 'jobs' | 'customers' | 'fileBytes'>,
): SmallJob[] {
  return Array.from({ length: options.jobs }, (_, index) => ({
    processingId: `${kind}-${index}`,
    customerId: `cus_bench${index % Math.max(1, options.customers)}`,
    file: `${kind}-${index}.txt`,
    bytes: options.fileBytes,
  }));
}

/** Creates the customers at Stripe and one file for each job. */
export async function createSmallFiles(
  { signal }: BenchmarkContext,
  stack: BenchStack,
  jobs: readonly SmallJob[],
  bytes: number,
): Promise<void> {
  const customers = new Set(jobs.map(({ customerId }) => customerId));
  await concurrently(customers, objectsAtOnce, signal, async (id) => {
    await stack.stripe.createCustomer({ id });
  });
  await concurrently(jobs, objectsAtOnce, signal, async ({ customerId, file }) => {
    const Key = inputKey(customerId, file);
    const Body = smallContent(file, bytes);
    await stack.s3.send(new PutObjectCommand({ Bucket: stack.config.BUCKET, Key, Body }));
  });
}

/** Hexadecimal digits: they compress to about half. */
function smallContent(seed: string, bytes: number): Buffer {
  const line = createHash('sha512').update(seed).digest('hex');
  return Buffer.alloc(bytes, line);
}
