/** The other ceiling of part 1: the same files read, compressed and written by a plain script. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { inputKey } from '../../../domain/files.ts';
import type { BenchmarkContext } from '../support/benchmark.ts';
import { concurrently } from '../support/concurrently.ts';
import type { BenchStack } from '../support/stack.ts';
import { objectsAtOnce } from './small-files.ts';
import type { SmallJob } from './small-files.ts';

const compress = promisify(gzip);

/** Files per second. */
export async function measureObjects(
  { signal, progress }: BenchmarkContext,
  { s3, config }: BenchStack,
  jobs: readonly SmallJob[],
): Promise<number> {
  progress(`reading, compressing and writing ${jobs.length} files by a plain script …`);
  const Bucket = config.BUCKET;
  const startedMs = performance.now();
  await concurrently(jobs, objectsAtOnce, signal, async ({ customerId, file }) => {
    const Key = inputKey(customerId, file);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    if (Body === undefined) throw new Error(`${Key} has no body`);
    const packed = await compress(await Body.transformToByteArray(), { level: 1 });
    const target = `objects-alone/${customerId}/${file}.gz`;
    await s3.send(new PutObjectCommand({ Bucket, Key: target, Body: packed }));
  });
  return (jobs.length * 1000) / (performance.now() - startedMs);
}
