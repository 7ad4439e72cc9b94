/** `durabill process submit | show | list`. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { parseCustomerId, parseProcessingId } from '../../domain/ids.ts';
import type { Processing } from '../../tables/processing-history.ts';
import type { Context } from '../shell/context.ts';
import { collect, leaf, noun, parseLimit } from '../shell/leaf.ts';
import { table } from '../shell/output.ts';
import { note, performWith } from '../shell/perform.ts';
import type { Answer } from '../shell/perform.ts';
import { processingColumns, processingRow } from './rows.ts';
import { showProcessing } from './show.ts';
import { parseOrder, submit } from './submit.ts';
import type { SubmitOptions } from './submit.ts';

interface ListOptions {
  customer?: string;
  status?: Processing['status'];
  limit: number;
}

export function addProcess(program: Command): void {
  const processing = noun(program, 'process', 'Runs over a customer’s files, metered in bytes.');
  leaf(processing, 'submit', 'Starts a job over files that are in the bucket.', [
    'durabill process submit --customer cus_123 --file report.csv --wait',
    'durabill process submit --customer cus_123 --file a.csv --file b.csv --id prc_2026-11-21',
    'aws s3 ls … | durabill process submit --customer cus_123 --files-from - --json',
  ])
    .requiredOption('--customer <id>', 'whose files: cus_…')
    .option('--file <key>', 'a file under service/input/<customer>/; repeatable', collect)
    .option('--files-from <path>', 'a file with one key per line; - is standard input')
    .option('--id <processing>', 'the same id twice is one job; made up when left out')
    .option('--wait', 'show progress and end when the job does')
    .action(async (options: SubmitOptions, command: Command) => {
      if (options.file === undefined && options.filesFrom === undefined) {
        command.error("error: name a file with '--file <key>' or '--files-from <path>'");
      }
      // Read before anything is connected: bad input is refused without a stack, too.
      const order = async () => await parseOrder(options);
      await performWith(command, submit(options.wait === true), order);
    });
  leaf(processing, 'show <id>', 'Shows a job, what became of its files, and its delivery.', [
    'durabill process show prc_123',
  ]).action(async (id: string, _options: object, command: Command) => {
    await performWith(command, showProcessing, () => parseProcessingId(id));
  });
  leaf(processing, 'list', 'Lists jobs, the newest first.', [
    'durabill process list --customer cus_123 --status failed',
  ])
    .option('--customer <id>', 'of this customer only')
    .addOption(
      new Option('--status <status>', 'in this state only').choices([
        'in_progress',
        'completed',
        'failed',
      ]),
    )
    .option('--limit <number>', 'at most so many', parseLimit, 50)
    .action(async (options: ListOptions, command: Command) => {
      await performWith(command, list, () => ({
        ...options,
        ...(options.customer === undefined ? {} : { customer: parseCustomerId(options.customer) }),
      }));
    });
}

/** A customer's own come newest first from their index; all customers' must all be looked at. */
async function list(context: Context, options: ListOptions): Promise<Answer> {
  const { processings } = await context.tables();
  const { customer, status, limit } = options;
  let found: Processing[] = [];
  let more = false;
  for await (const row of processings.list(customer)) {
    if (status !== undefined && row.status !== status) continue;
    found.push(row);
    more ||= found.length > limit;
    if (customer !== undefined && more) break;
    if (found.length >= 2 * limit + 1000) found = newest(found, limit);
  }
  found = newest(found, limit);
  if (more) note(`The newest ${limit} are shown (--limit shows more).`);
  return {
    json: found,
    text:
      found.length === 0
        ? 'No such processing.'
        : table(processingColumns, found.map(processingRow)),
  };
}

function newest(rows: readonly Processing[], limit: number): Processing[] {
  return rows
    .toSorted((one, other) => other.createdAt.localeCompare(one.createdAt))
    .slice(0, limit);
}
