/** `durabill storage aggregate | show`: what customers store, measured day by day. */
import type { Command } from 'commander';
import { parseCustomerId } from '../../domain/ids.ts';
import { leaf, noun, parseDay, parseMonth } from '../shell/leaf.ts';
import { performWith } from '../shell/perform.ts';
import { aggregate } from './aggregate.ts';
import { showStorage } from './show.ts';

interface AggregateOptions {
  day?: string;
  wait?: boolean;
}

export function addStorage(program: Command): void {
  const storage = noun(program, 'storage', 'What customers store, measured day by day.');
  leaf(
    storage,
    'aggregate',
    'Measures what every customer stores now, and writes it down as a day’s snapshot.\n' +
      'Again for the same day it corrects what is not billed yet; billed days never change.',
    [
      'durabill storage aggregate',
      'durabill storage aggregate --day 2026-11-20 --wait',
      'durabill storage aggregate --wait --json',
    ],
  )
    .option('--day <day>', 'YYYY-MM-DD; today (UTC) when left out', parseDay)
    .option('--wait', 'show progress and end when the run does')
    .action(async (options: AggregateOptions, command: Command) => {
      await performWith(command, aggregate, () => ({
        day: options.day,
        wait: options.wait === true,
      }));
    });
  leaf(storage, 'show <customer>', 'Shows a customer’s days of a month, and its bill.', [
    'durabill storage show cus_123',
    'durabill storage show cus_123 --month 2026-10 --json',
  ])
    .option('--month <month>', 'YYYY-MM; this month (UTC) when left out', parseMonth)
    .action(async (id: string, options: { month?: string }, command: Command) => {
      await performWith(command, showStorage, () => ({
        customerId: parseCustomerId(id),
        month: options.month,
      }));
    });
}
