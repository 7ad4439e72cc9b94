import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BillingError } from '../../domain/errors.ts';
import { definedOnly } from './build-go.ts';
import { withProgress } from './progress.ts';
import { requireReachable } from './reach.ts';
import { runCommand } from './run-command.ts';
import type { BuildContext, ToolBuilder } from './types.ts';

const DOWNLOAD_TIMEOUT_MS = 3 * 60_000;
const UNPACK_TIMEOUT_MS = 60_000;
const ARCHIVE_MAXIMUM_BYTES = 200 * 1024 * 1024;

/**
 * A builder that unpacks a release archive which its project publishes: for a machine that has
 * internet but no compiler. The archive must have the sum that `checksums.txt` beside it says.
 */
export function releaseArchive(options: {
  label: string;
  version: string;
  /** The folder of the release's files, with a slash at its end. */
  baseUrl: string;
  /** A gzipped tar with one folder around its files. */
  archive: string;
}): ToolBuilder {
  return {
    description: `downloaded from ${options.baseUrl}${options.archive} (internet)`,
    progress: `downloading ${options.label} ${options.version} (about 15 seconds)`,
    async build(context) {
      await withProgress(context.report, this.progress, async () => {
        const sums = (await download(`${options.baseUrl}checksums.txt`, context)).toString('utf8');
        const bytes = await download(`${options.baseUrl}${options.archive}`, context);
        checkSum(bytes, sums, options.archive);
        await unpack(bytes, context);
      });
    },
  };
}

async function download(url: string, context: BuildContext): Promise<Buffer> {
  await requireReachable(url);
  const timeout = AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS);
  const signal =
    context.signal === undefined ? timeout : AbortSignal.any([timeout, context.signal]);
  const response = await fetch(url, { signal }).catch((cause: unknown) => {
    throw new BillingError('unavailable', `${url} does not answer`, { cause });
  });
  const size = Number(response.headers.get('content-length') ?? 0);
  if (response.status !== 200 || size > ARCHIVE_MAXIMUM_BYTES) {
    await response.body?.cancel();
    throw new BillingError('unavailable', `${url} answered ${response.status} with ${size} bytes`);
  }
  return Buffer.from(await response.arrayBuffer());
}

function checkSum(bytes: Buffer, sums: string, archive: string): void {
  const lines = sums.split('\n').map((line) => line.trim().split(/\s+/));
  const expected = lines.find(([, file]) => file === archive)?.[0];
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (expected === actual) return;
  const said = expected ?? 'nothing';
  throw new BillingError(
    'unavailable',
    `${archive} has the sum ${actual}, checksums.txt says ${said}`,
  );
}

async function unpack(bytes: Buffer, context: BuildContext): Promise<void> {
  const file = path.join(context.directory, 'archive.tar.gz');
  await writeFile(file, bytes);
  await runCommand({
    command: 'tar',
    args: ['-xzf', file, '-C', context.directory, '--strip-components=1'],
    cwd: context.directory,
    env: definedOnly(context.environment),
    timeoutMs: UNPACK_TIMEOUT_MS,
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  await rm(file);
}
