/** `durabill bill month | show`: storage, billed by the calendar month. */
import type { Command } from 'commander';
import { parseCustomerId } from '../../domain/ids.ts';
import { billMonth } from './month.ts';
import { planMonth } from './plan.ts';
import { showBill } from './show.ts';
import { leaf, noun, parseMonth } from '../shell/leaf.ts';
import { performWith } from '../shell/perform.ts';

interface MonthOptions {
  month: string;
  dryRun?: boolean;
  wait?: boolean;
}

export function addBill(program: Command): void {
  const bill = noun(program, 'bill', 'Storage, billed by the calendar month.');
  leaf(
    bill,
    'month',
    'Bills every customer’s storage of a month (UTC) that is over.\n' +
      'Again for the same month it leaves alone what was billed and tries again what failed.',
    [
      'durabill bill month --month 2026-10 --dry-run',
      'durabill bill month --month 2026-10 --wait',
      'durabill bill month --month 2026-10 --dry-run --json',
    ],
  )
    .requiredOption('--month <month>', 'YYYY-MM', parseMonth)
    .option('--dry-run', 'print what would be billed, and touch nothing')
    .option('--wait', 'show progress and end when the run does')
    .action(async (options: MonthOptions, command: Command) => {
      const { month, dryRun = false, wait = false } = options;
      if (dryRun && wait) {
        command.error("error: '--dry-run' starts nothing to '--wait' for");
      }
      const json = command.optsWithGlobals<{ json?: boolean }>().json === true;
      if (dryRun) await performWith(command, planMonth, () => ({ month, json }));
      else await performWith(command, billMonth, () => ({ month, wait }));
    });
  leaf(bill, 'show <customer>', 'Explains a customer’s invoice line for storage.', [
    'durabill bill show cus_123 --month 2026-10',
  ])
    .requiredOption('--month <month>', 'YYYY-MM', parseMonth)
    .action(async (id: string, { month }: { month: string }, command: Command) => {
      await performWith(command, showBill, () => ({ customerId: parseCustomerId(id), month }));
    });
}
