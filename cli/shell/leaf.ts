/** How nouns and verbs are declared, so that all of them have `--json`, examples and the same errors. */
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { BillingError } from '../../domain/errors.ts';
import { printable } from '../../domain/ids.ts';
import * as period from '../../domain/period.ts';

/** DynamoDB's limit for a partition key. */
const longestKeyBytes = 2048;

/** A noun: its verbs are added to it. */
export function noun(program: Command, name: string, description: string): Command {
  return program.command(name).description(description);
}

/** A verb (or a noun without verbs), with examples in its help. */
export function leaf(
  parent: Command,
  usage: string,
  description: string,
  examples: readonly string[],
): Command {
  return parent
    .command(usage)
    .description(description)
    .option('--json', 'print one JSON value on stdout and nothing else')
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`);
}

/** For an option that may be given several times. */
export function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

/** A whole number of rows. */
export function parseLimit(value: string): number {
  const limit = Number(value);
  if (/^[0-9]{1,6}$/.test(value) && limit >= 1 && limit <= 100_000) return limit;
  throw new InvalidArgumentError('It must be a whole number from 1 to 100,000.');
}

/** YYYY-MM. */
export function parseMonth(value: string): string {
  if (/^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$/.test(value)) return value;
  throw new InvalidArgumentError('It must be a month, YYYY-MM.');
}

/** YYYY-MM-DD, a day of the calendar. */
export function parseDay(value: string): string {
  try {
    if (/^(19|20|21)/.test(value)) return period.parseDay(value);
  } catch (error) {
    if (!(error instanceof BillingError)) throw error;
  }
  throw new InvalidArgumentError('It must be a day, YYYY-MM-DD.');
}

/** The key of a row, as far as the table would take it. */
export function parseKey(value: string, what: string): string {
  if (value !== '' && Buffer.byteLength(value) <= longestKeyBytes) return value;
  throw new BillingError('not_found', `no ${what} "${printable(value)}"`);
}
