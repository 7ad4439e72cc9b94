/** `durabill customers import --from-stripe`: the customers table as Stripe's list has it. */
import type { Command } from 'commander';
import { BillingError } from '../../domain/errors.ts';
import { importCustomers } from '../../operations/import-customers.ts';
import type { Imported } from '../../operations/import-customers.ts';
import type { Context } from '../shell/context.ts';
import { describeFailure } from '../shell/failures.ts';
import { leaf } from '../shell/leaf.ts';
import { count, facts, table } from '../shell/output.ts';
import { performWith } from '../shell/perform.ts';
import type { Answer } from '../shell/perform.ts';

const stopped = 'Stopped; what was taken is kept. Run it again to go on.';

export function addImport(customers: Command): void {
  leaf(customers, 'import', 'Takes over Stripe’s customers: new ones, new names, deletions.', [
    'durabill customers import --from-stripe --dry-run',
    'durabill customers import --from-stripe',
  ])
    .requiredOption('--from-stripe', 'from the account of STRIPE_SECRET_KEY')
    .option('--dry-run', 'only says what would be done')
    .action(async ({ dryRun }: { dryRun?: true }, command: Command) => {
      await performWith(command, take, () => dryRun === true);
    });
}

async function take(context: Context, isDryRun: boolean): Promise<Answer> {
  const stripe = await context.stripe();
  if (stripe === undefined) {
    throw new BillingError('billing_disabled', 'billing is off: set STRIPE_SECRET_KEY');
  }
  const { customers } = await context.tables();
  const { withProgressLine } = await import('../shell/follow.ts');
  const deps = { stripe, customers, plan: context.config.BILLING_PLAN_DEFAULT, now: context.now };
  const done = await withProgressLine(
    stopped,
    async (show) =>
      await importCustomers(deps, {
        isDryRun,
        describe: (error) => describeFailure(error).message,
        onEnd: (ended) => show(`${count(ended)} customers`),
      }),
  );
  const { failures } = done;
  return {
    json: { dryRun: isDryRun, ...done },
    text: draw(done, isDryRun),
    ...(failures.length === 0
      ? {}
      : { failed: `${count(failures.length)} customer(s) could not be taken over` }),
  };
}

function draw({ added, changed, deleted, unchanged, failures }: Imported, isDryRun: boolean) {
  const would = isDryRun ? ' (would be)' : '';
  const sums = facts([
    [`added${would}`, count(added.length)],
    [`changed${would}`, count(changed.length)],
    [`deleted at Stripe${would}`, count(deleted.length)],
    ['right already', count(unchanged)],
  ]);
  if (failures.length === 0) return sums;
  const rows = failures.map(({ customerId, error }) => [customerId, error]);
  return `${sums}\n\n${table([{ title: 'Failed' }, { title: 'Why' }], rows)}`;
}
