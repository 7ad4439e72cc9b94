/** `durabill budgets show | set`: what a customer may spend in a calendar month (UTC). */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { checkBudget } from '../../domain/budgets.ts';
import { BillingError } from '../../domain/errors.ts';
import { parseCustomerId } from '../../domain/ids.ts';
import { formatMoney } from '../../domain/money.ts';
import { showBudget } from '../../operations/budgets.ts';
import type { Context } from '../shell/context.ts';
import { leaf, noun } from '../shell/leaf.ts';
import { facts, time } from '../shell/output.ts';
import { performWith } from '../shell/perform.ts';
import type { Answer } from '../shell/perform.ts';

interface SetOptions {
  hard: number;
  soft?: number;
}

export function addBudgets(program: Command): void {
  const budgets = noun(program, 'budgets', 'What a customer may spend on casts in a month (UTC).');
  leaf(budgets, 'show <customer>', 'Shows the limit, and what is used, reserved and left.', [
    'durabill budgets show cus_123',
  ]).action(async (customer: string, _options: object, command: Command) => {
    await performWith(command, show, () => parseCustomerId(customer));
  });
  leaf(budgets, 'set <customer>', 'Sets or replaces it; what is reserved stays reserved.', [
    'durabill budgets set cus_123 --hard 5000 --soft 4000',
  ])
    .requiredOption('--hard <cents>', 'a cast that would pass it is refused', parseCents)
    .option('--soft <cents>', 'passing it alerts, once a month', parseCents)
    .action(async (customer: string, options: SetOptions, command: Command) => {
      await performWith(command, set, () => parseOrder(customer, options));
    });
}

function parseCents(value: string): number {
  if (/^[0-9]{1,13}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It must be whole cents.');
}

function parseOrder(customer: string, { hard, soft }: SetOptions) {
  const customerId = parseCustomerId(customer);
  const limits = {
    hardLimitCents: hard,
    ...(soft === undefined ? {} : { softLimitCents: soft }),
  };
  checkBudget(limits);
  return { customerId, limits };
}

async function show(context: Context, customerId: string): Promise<Answer> {
  const { spending } = await context.tables();
  return tell(customerId, await showBudget({ spending, now: context.now }, customerId));
}

async function set(
  context: Context,
  { customerId, limits }: ReturnType<typeof parseOrder>,
): Promise<Answer> {
  const { customers, spending } = await context.tables();
  if ((await customers.get(customerId)) === undefined) {
    throw new BillingError('not_found', `no customer ${customerId}: add it first`);
  }
  const budget = await spending.change(customerId, limits);
  return tell(customerId, await showBudget({ spending, now: context.now }, customerId, budget));
}

function tell(customerId: string, budget: Awaited<ReturnType<typeof showBudget>>): Answer {
  const money = (cents: number) => formatMoney(BigInt(cents), 'usd');
  const { softLimitCents } = budget;
  const text = facts([
    ['customer', customerId],
    ['month', budget.month],
    ['hard limit', money(budget.hardLimitCents)],
    ['soft limit', softLimitCents === undefined ? undefined : money(softLimitCents)],
    ['used', money(budget.usedCents)],
    ['reserved', money(budget.reservedCents)],
    ['left', money(budget.leftCents)],
    ['set', `${time(budget.updatedAt)} UTC`],
  ]);
  return { json: { customerId, ...budget }, text };
}
