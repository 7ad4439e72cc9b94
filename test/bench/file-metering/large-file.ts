/** Part 2: one large file, beside a plain copy and the compression alone; and the worker's memory. */
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { inputKey } from '../../../domain/files.ts';
import { createEngine } from '../../../engine/engine.ts';
import type { Processed } from './options.ts';
import type { BenchmarkContext, Section } from '../support/benchmark.ts';
import { readMemory } from '../support/machine.ts';
import type { BenchStack } from '../support/stack.ts';
import { waitUntilNoneLeft } from '../support/wait.ts';
import { largeContent } from './large-content.ts';
import { copyAlone, gzipAlone } from './large-peers.ts';
import { createSmallFiles } from './small-files.ts';

const customerId = 'cus_benchlarge';
const file = 'large.log';
const processingId = 'large';
const warmUp = { processingId: 'before-large', customerId, file: 'small.log', bytes: 1024 };

export async function measureLargeFile(
  context: BenchmarkContext,
  stack: BenchStack,
  bytes: number,
  processed: Processed,
): Promise<Section> {
  const { progress, signal, dataDir } = context;
  progress(`writing a file of ${bytes} bytes …`);
  await createSmallFiles(context, stack, [warmUp], warmUp.bytes);
  const key = inputKey(customerId, file);
  const onDisk = path.join(dataDir, 's3', stack.config.BUCKET, key);
  await mkdir(path.dirname(onDisk), { recursive: true });
  await pipeline(Readable.from(largeContent(bytes)), createWriteStream(onDisk), { signal });

  // A worker of its own, since another's peak would hide this one's.
  const worker = await stack.startWorker();
  await runJob(context, stack, warmUp.processingId, warmUp.file, warmUp.bytes);
  const before = readMemory(worker.pid);
  progress('processing it …');
  const seconds = await runJob(context, stack, processingId, file, bytes);
  const after = readMemory(worker.pid);
  await worker.stop();
  processed.set(customerId, BigInt(bytes) + BigInt(warmUp.bytes));

  progress('copying it without compressing …');
  const copyRate = bytes / (await copyAlone(context, stack, key));
  progress('compressing it in memory …');
  const gzipRate = bytes / (await gzipAlone(context, bytes));
  await rm(onDisk);
  const value = bytes / seconds;
  const unit = 'bytes per second';
  return {
    title: 'one large file',
    figures: [
      {
        name: 'start to completed',
        value,
        unit,
        beside: { name: 'GET and multipart PUT alone', value: copyRate },
      },
      {
        name: 'start to completed',
        value,
        unit,
        beside: { name: 'gzip -1 and SHA-256 alone', value: gzipRate },
      },
      {
        name: 'peak memory of the worker',
        value: after.peakBytes,
        unit: 'bytes',
        beside: { name: 'its peak before the file', value: before.peakBytes },
      },
      {
        name: 'memory of the worker afterwards',
        value: after.residentBytes,
        unit: 'bytes',
        beside: { name: 'before the file', value: before.residentBytes },
      },
    ],
  };
}

/** Seconds from its start to its completion; ends when Stripe has its bytes. */
async function runJob(
  context: BenchmarkContext,
  stack: BenchStack,
  id: string,
  name: string,
  bytes: number,
): Promise<number> {
  const startedMs = Date.now();
  const request = { processingId: id, customerId, files: [name] };
  const { workflowId } = await createEngine(stack.temporal, {
    taskQueue: stack.config.TASK_QUEUE,
  }).startProcessing(request);
  const handle = stack.temporal.workflow.getHandle(workflowId);
  await waitUntilNoneLeft(context, {
    what: 'file under way',
    everyMs: 200,
    stuckAfterMs: 120_000,
    left: async () => {
      const { status } = await handle.describe();
      if (status.name === 'RUNNING') return 1;
      if (status.name !== 'COMPLETED') throw new Error(`${workflowId} is ${status.name}`);
      return 0;
    },
  });
  const row = await stack.processings.get(id);
  if (row?.completedAt === undefined || row.totalBytes !== bytes) {
    throw new Error(`${id}: ${row?.status ?? 'no row'}, ${row?.totalBytes ?? 'no'} bytes`);
  }
  return (Date.parse(row.completedAt) - startedMs) / 1000;
}
