/** `durabill customers add | import | list | show`. */
import type { Command } from 'commander';
import { parseNewCustomer } from '../../domain/customers.ts';
import type { NewCustomer } from '../../domain/customers.ts';
import { BillingError } from '../../domain/errors.ts';
import { catalog } from '../../domain/catalog.ts';
import { deliveryShard, parseCustomerId } from '../../domain/ids.ts';
import type { Customer } from '../../tables/customers.ts';
import type { Processing } from '../../tables/processing-history.ts';
import type { Tables } from '../../tables/open.ts';
import type { Context } from '../shell/context.ts';
import { describeAccount, findAccount } from './account.ts';
import { addImport } from './import.ts';
import { leaf, noun } from '../shell/leaf.ts';
import { count, facts, state, table, time } from '../shell/output.ts';
import { note, nothing, performWith } from '../shell/perform.ts';
import type { Answer } from '../shell/perform.ts';
import { processingColumns, processingRow } from '../process/rows.ts';

interface AddOptions {
  name?: string;
  email?: string;
}

/** What `show` lists of a customer's runs. */
const lastProcessings = 5;
/** Undelivered rows looked through in one shard; beyond it the count is said to be a least one. */
const mostUndelivered = 5000;

export function addCustomers(program: Command): void {
  const customers = noun(program, 'customers', 'Who is billed; known by their Stripe customer id.');
  leaf(customers, 'add <id>', 'Adds a customer that Stripe knows. Adding it again is fine.', [
    'durabill customers add cus_123 --name "Aurora Labs" --email billing@aurora.example',
  ])
    .option('--name <name>', 'shown to people')
    .option('--email <email>', 'where to write to')
    .action(async (id: string, options: AddOptions, command: Command) => {
      await performWith(command, add, () => parseNewCustomer(id, options));
    });
  addImport(customers);
  leaf(customers, 'list', 'Lists every customer.', ['durabill customers list --json']).action(
    async (_options: object, command: Command) => {
      await performWith(command, list, nothing);
    },
  );
  leaf(customers, 'show <id>', 'Shows a customer, its account, processings and what waits.', [
    'durabill customers show cus_123',
  ]).action(async (id: string, _options: object, command: Command) => {
    await performWith(command, show, () => parseCustomerId(id));
  });
}

async function add(context: Context, given: NewCustomer): Promise<Answer> {
  const stripe = await context.stripe();
  if (stripe === undefined) {
    note('billing is off (no Stripe key): it is not checked whether Stripe knows the customer');
  }
  const [{ addCustomer }, { customers }] = await Promise.all([
    import('../../operations/customers.ts'),
    context.tables(),
  ]);
  const plan = context.config.BILLING_PLAN_DEFAULT;
  const now = () => new Date();
  const { added, customer } = await addCustomer({ stripe, customers, plan, now }, given);
  const said = added
    ? `Added ${customer.customerId}.`
    : `${customer.customerId} is there already (since ${time(customer.createdAt)}); nothing was changed.`;
  return { json: { added, customer }, text: `${said}\n${describe(customer)}` };
}

async function list(context: Context): Promise<Answer> {
  const { customers } = await context.tables();
  const found: Customer[] = [];
  const problems: string[] = [];
  for await (const row of customers.list()) {
    if ('problem' in row) problems.push(row.problem);
    else found.push(row.customer);
  }
  found.sort((one, other) => one.createdAt.localeCompare(other.createdAt));
  const titles = ['Customer', 'Name', 'Plan', 'Billing', 'Added (UTC)'];
  const rows = found.map(({ customerId, name, plan, billingStatus, createdAt }) => [
    customerId,
    name ?? '',
    plan,
    state(billingStatus),
    time(createdAt),
  ]);
  const none = 'No customer yet: durabill customers add cus_…';
  return {
    json: found,
    text:
      found.length === 0
        ? none
        : table(
            titles.map((title) => ({ title })),
            rows,
          ),
    ...(problems.length === 0 ? {} : { failed: problems.join('\n') }),
  };
}

async function show(context: Context, customerId: string): Promise<Answer> {
  const tables = await context.tables();
  const customer = await tables.customers.get(customerId);
  if (customer === undefined) {
    throw new BillingError(
      'not_found',
      `no customer ${customerId}: add it with \`durabill customers add ${customerId}\``,
    );
  }
  const processings: Processing[] = [];
  for await (const processing of tables.processings.list(customerId)) {
    processings.push(processing);
    if (processings.length >= lastProcessings) break;
  }
  const undelivered = await countUndelivered(tables, customerId);
  const account = await findAccount(context, customerId);
  const waiting = `${undelivered.exact ? '' : 'at least '}${count(undelivered.records)}`;
  const runs =
    processings.length === 0
      ? 'No processing yet.'
      : table(processingColumns, processings.map(processingRow));
  return {
    json: { customer, ...account, processings, undelivered },
    text: [
      describe(customer),
      describeAccount(account),
      `Usage records not delivered yet: ${waiting}`,
      runs,
    ].join('\n\n'),
  };
}

/** A customer's records wait in the shards of its meters, among those of others. */
async function countUndelivered(
  { ledger }: Tables,
  customerId: string,
): Promise<{ records: number; exact: boolean }> {
  const shards = new Set(catalog.map(({ meter }) => deliveryShard(customerId, meter.eventName)));
  let records = 0;
  let exact = true;
  for (const shard of shards) {
    const { waiting, unreadable } = await ledger.undelivered(shard, mostUndelivered);
    records += waiting.filter((record) => record.customerId === customerId).length;
    if (waiting.length + unreadable.length === mostUndelivered) exact = false;
  }
  return { records, exact };
}

function describe(customer: Customer): string {
  return facts([
    ['customer', customer.customerId],
    ['name', customer.name],
    ['email', customer.email],
    ['plan', customer.plan],
    ['billing', state(customer.billingStatus)],
    ['added', `${time(customer.createdAt)} UTC`],
  ]);
}
