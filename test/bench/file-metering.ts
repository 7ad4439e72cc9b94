/** Files processed and metered: jobs per second, bytes per second, memory, and what limits them. */
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { checkBilled } from './file-metering/check.ts';
import { measureJobs } from './file-metering/jobs.ts';
import { measureLargeFile } from './file-metering/large-file.ts';
import type { FileMeteringOptions, Processed } from './file-metering/options.ts';
import type { BenchmarkContext, BenchmarkResult, Section } from './support/benchmark.ts';
import { runBenchmark } from './support/run-benchmark.ts';
import { startBenchStack } from './support/stack.ts';

const gibibyte = 1024 ** 3;

export function addFileMetering(program: Command): void {
  program
    .command('file-metering')
    .summary('jobs per second, bytes per second of one large file, and peak memory')
    .option('--jobs <n>', 'jobs of one small file each; 0 leaves this part out', toCount, 500)
    .option('--customers <n>', 'customers that the jobs are of', toCount, 50)
    .option('--concurrency <n>', 'starts under way at the same time', toCount, 50)
    .option('--file-bytes <n>', 'size of a small file', toCount, 1024)
    .option('--large-bytes <n>', 'size of the large file; 0 leaves it out', toCount, gibibyte)
    .option('--json', 'print one JSON value', false)
    .option('--keep', 'keep the temp folder with the logs', false)
    .action(async (options: FileMeteringOptions) => {
      await runBenchmark('file-metering', options, async (context) => await run(context, options));
    });
}

async function run(
  context: BenchmarkContext,
  options: FileMeteringOptions,
): Promise<BenchmarkResult> {
  const stack = await startBenchStack(context);
  const processed: Processed = new Map();
  const sections: Section[] = [];
  if (options.jobs > 0) sections.push(...(await measureJobs(context, stack, options, processed)));
  if (options.largeBytes > 0) {
    sections.push(await measureLargeFile(context, stack, options.largeBytes, processed));
  }
  return {
    sections,
    checks: await checkBilled(stack, processed),
    notes: [
      `${options.jobs} jobs of one file of ${options.fileBytes} bytes, ${options.customers} ` +
        `customers, ${options.concurrency} starts at a time; one file of ${options.largeBytes} bytes`,
      'all servers, the worker and this script share the cores; figures count from the first start',
      'actions are those of Temporal Cloud’s published list, counted from the histories',
    ],
  };
}

function toCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('a whole number');
  }
  return value;
}
