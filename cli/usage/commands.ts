/** `durabill usage show | list | settle`: the ledger, which is the truth about usage. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { parseDiscardReason } from '../../domain/dead-letters.ts';
import { BillingError } from '../../domain/errors.ts';
import { parseCustomerId, printable } from '../../domain/ids.ts';
import type { UsageRecord } from '../../domain/usage.ts';
import { settleUsage } from '../../operations/settle-usage.ts';
import type { SettleOrder } from '../../operations/settle-usage.ts';
import type { Context } from '../shell/context.ts';
import { leaf, noun, parseKey, parseMonth } from '../shell/leaf.ts';
import { count, state, table, time } from '../shell/output.ts';
import { performWith } from '../shell/perform.ts';
import type { Answer } from '../shell/perform.ts';
import { describeUsage, findLetters } from './rows.ts';

interface ListOptions {
  customer: string;
  month?: string;
}

export function addUsage(program: Command): void {
  const usage = noun(program, 'usage', 'Usage records and their delivery to Stripe.');
  leaf(usage, 'show <identifier>', 'Shows the whole life of one usage record.', [
    'durabill usage show prc_123',
  ]).action(async (identifier: string, _options: object, command: Command) => {
    await performWith(command, show, () => parseKey(identifier, 'usage record'));
  });
  leaf(usage, 'list', 'Lists a customer’s usage of one month (UTC), and its sum.', [
    'durabill usage list --customer cus_123 --month 2026-11',
  ])
    .requiredOption('--customer <id>', 'whose usage: cus_…')
    .option('--month <month>', 'YYYY-MM; this month when left out', parseMonth)
    .action(async (options: ListOptions, command: Command) => {
      await performWith(command, list, () => ({
        customerId: parseCustomerId(options.customer),
        month: options.month,
      }));
    });
  addSettle(usage);
}

interface SettleOptions {
  as?: 'delivered';
  resend?: boolean;
  reason: string;
}

/** DL15 */
function addSettle(usage: Command): void {
  leaf(usage, 'settle <identifier>', 'Ends a doubt that Stripe’s sums leave: is it there or not?', [
    'durabill usage settle prc_123 --as delivered --reason "in the dashboard, minute 12:34"',
    'durabill usage settle prc_123 --resend --reason "not in the dashboard, minute 12:34"',
  ])
    .addOption(new Option('--as <state>', 'Stripe has it').choices(['delivered']))
    .option('--resend', 'Stripe does not have it: it is sent again')
    .requiredOption('--reason <text>', 'how you know; kept in its life')
    .action(async (identifier: string, options: SettleOptions, command: Command) => {
      if ((options.as === undefined) === (options.resend === undefined)) {
        command.error('error: either --as delivered or --resend');
      }
      await performWith(command, settle, (): SettleOrder => ({
        identifier: parseKey(identifier, 'usage record'),
        as: options.as ?? 'resend',
        reason: parseDiscardReason(options.reason),
      }));
    });
}

async function settle(context: Context, order: SettleOrder): Promise<Answer> {
  // Asked before anything is changed: nothing is half done just because Temporal is away.
  const { announceUsage: announce, tellSource } = await context.engine();
  const tables = await context.tables();
  const record = await settleUsage({ ...tables, announce, tellSource, now: context.now }, order);
  const done = order.as === 'delivered' ? 'is delivered' : 'is sent again';
  return { json: record, text: `Usage ${order.identifier} ${done}: ${order.reason}` };
}

/** DL10 */
async function show(context: Context, identifier: string): Promise<Answer> {
  const tables = await context.tables();
  const record = await tables.ledger.get(identifier);
  if (record === undefined) {
    throw new BillingError('not_found', `no usage record "${printable(identifier)}"`);
  }
  const letters = await findLetters(tables, identifier);
  return { json: { ...record, deadLetters: letters }, text: describeUsage(record, letters) };
}

async function list(
  context: Context,
  { customerId, month: given }: { customerId: string; month: string | undefined },
): Promise<Answer> {
  const month = given ?? context.now().toISOString().slice(0, 7);
  const { ledger } = await context.tables();
  const records: UsageRecord[] = [];
  const sums = new Map<string, bigint>();
  for await (const record of ledger.ofCustomer(customerId, ...boundsOf(month))) {
    records.push(record);
    sums.set(record.meter, (sums.get(record.meter) ?? 0n) + BigInt(record.quantity));
  }
  const totals = [...sums].map(([meter, sum]) => ({ meter, quantity: String(sum) }));
  const rows = records.map((record) => [
    record.identifier,
    record.meter,
    count(record.quantity),
    time(record.occurredAt),
    state(record.state),
  ]);
  const drawn = table(
    [
      { title: 'Usage' },
      { title: 'Meter' },
      { title: 'Quantity', align: 'right' },
      { title: 'Occurred (UTC)' },
      { title: 'State' },
    ],
    [...rows, ...totals.map(({ meter, quantity }) => ['total', meter, count(quantity), '', ''])],
  );
  return {
    json: { customerId, month, records, totals },
    text: records.length === 0 ? `No usage of ${customerId} in ${month}.` : drawn,
  };
}

/** From the month's first moment to the next one's. */
function boundsOf(month: string): [from: string, to: string] {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const to = new Date(Date.UTC(year, number, 1)).toISOString();
  return [`${month}-01T00:00:00.000Z`, to];
}
