/**
 * `durabill customers import --from-stripe`: the customers table as Stripe's list has it (GA17). One customer
 * that cannot be taken is named, and the others are finished. It may be stopped and begun again anywhere: each
 * customer is written by itself, under a condition, and what is right already is left alone.
 */
import type Stripe from 'stripe';
import { BillingError } from '../domain/errors.ts';
import { parseCustomerId, printable } from '../domain/ids.ts';
import type { Customers } from '../tables/customers.ts';

export interface ImportDependencies {
  stripe: Pick<Stripe, 'customers'>;
  customers: Pick<Customers, 'get' | 'add' | 'standingOf' | 'change' | 'list'>;
  plan: string;
  now: () => Date;
}

export interface ImportOptions {
  /** Only tells what would be done. */
  isDryRun: boolean;
  /** An error in words for a person. */
  describe: (error: unknown) => string;
  onEnd?: (ended: number) => void;
}

type Outcome = 'added' | 'changed' | 'deleted' | 'unchanged';

export interface Imported {
  added: string[];
  /** Name or email were others. */
  changed: string[];
  /** Were deleted at Stripe. */
  deleted: string[];
  unchanged: number;
  failures: { customerId: string; error: string }[];
}

/** Who loses a round loses it to a webhook that told of the same customer. */
const mostRounds = 20;

export async function importCustomers(
  deps: ImportDependencies,
  options: ImportOptions,
): Promise<Imported> {
  const done: Imported = { added: [], changed: [], deleted: [], unchanged: 0, failures: [] };
  const listed = new Set<string>();
  let ended = 0;
  const take = async (customerId: string, work: () => Promise<Outcome>): Promise<void> => {
    try {
      const outcome = await work();
      if (outcome === 'unchanged') done.unchanged += 1;
      else done[outcome].push(customerId);
    } catch (error) {
      const said = printable(options.describe(error));
      done.failures.push({ customerId: printable(customerId), error: said });
    }
    ended += 1;
    options.onEnd?.(ended);
  };
  for await (const customer of deps.stripe.customers.list({ limit: 100 })) {
    listed.add(customer.id);
    await take(customer.id, async () => await takeListed(deps, customer, options.isDryRun));
  }
  // Stripe does not list those that were deleted there: our own rows tell whom to ask about.
  for await (const row of deps.customers.list()) {
    if (listed.has(row.customerId)) continue;
    if ('customer' in row && row.customer.deletedAt !== undefined) continue;
    await take(row.customerId, async () => {
      if ('problem' in row) throw new BillingError('conflict', row.problem);
      return await follow(deps, row.customerId, options.isDryRun);
    });
  }
  return done;
}

async function takeListed(
  deps: ImportDependencies,
  customer: Stripe.Customer,
  isDryRun: boolean,
): Promise<Outcome> {
  const customerId = parseCustomerId(customer.id);
  const facts = factsOf(customer);
  const known = await deps.customers.get(customerId);
  if (known === undefined) {
    if (isDryRun) return 'added';
    const { plan, now } = deps;
    const createdAt = now().toISOString();
    const row = { customerId, ...facts, plan, billingStatus: 'none' as const, createdAt };
    if (await deps.customers.add(row)) return 'added';
  } else if (known.name === facts.name && known.email === facts.email) {
    return 'unchanged';
  }
  // The page of the list is of some time ago: what replaces a row is asked for after the row was read (WH11).
  return await follow(deps, customerId, isDryRun);
}

/** Asks Stripe for one customer, and writes what it says if nobody wrote meanwhile. */
async function follow(
  { stripe, customers, plan, now }: ImportDependencies,
  customerId: string,
  isDryRun: boolean,
): Promise<Outcome> {
  for (let round = 0; round < mostRounds; round += 1) {
    const known = await customers.standingOf(customerId);
    const row = await customers.get(customerId);
    const truth = await stripe.customers.retrieve(customerId);
    const at = now().toISOString();
    const isGone = truth.deleted === true;
    const facts = isGone ? undefined : factsOf(truth);
    const isSame = isGone
      ? row?.deletedAt !== undefined
      : row?.name === facts?.name && row?.email === facts?.email;
    if (isSame) return 'unchanged';
    const outcome = isGone ? 'deleted' : 'changed';
    if (isDryRun) return outcome;
    const changes = isGone ? { deletedAt: at } : { name: facts?.name, email: facts?.email };
    if (await customers.change(customerId, changes, known, { plan, createdAt: at })) return outcome;
  }
  throw new BillingError('unavailable', `${customerId} is written by too many at once`);
}

/** As webhooks write them: an empty one is none. */
function factsOf({ name, email }: Stripe.Customer): { name?: string; email?: string } {
  return {
    ...(name === null || name === undefined || name === '' ? {} : { name }),
    ...(email === null || email === '' ? {} : { email }),
  };
}
