/** Adding a customer by hand: what command line and API share (FM7). */
import Stripe from 'stripe';
import type { NewCustomer } from '../domain/customers.ts';
import { BillingError } from '../domain/errors.ts';
import type { Customer, Customers } from '../tables/customers.ts';

export interface CustomerDependencies {
  /** Undefined when billing is off: then nobody asks whether Stripe knows the customer. */
  stripe: Stripe | undefined;
  customers: Pick<Customers, 'get' | 'add'>;
  /** The plan of a new customer. */
  plan: string;
  now: () => Date;
}

/**
 * Adds one that Stripe knows; one that is here already is left alone. Throws BillingError `not_found` for one
 * that Stripe does not know or has deleted, and Stripe's own error when it cannot be asked.
 */
export async function addCustomer(
  deps: CustomerDependencies,
  given: NewCustomer,
): Promise<{ added: boolean; customer: Customer }> {
  const { customerId } = given;
  if (deps.stripe !== undefined) await checkAtStripe(deps.stripe, customerId);
  const customer: Customer = {
    ...given,
    plan: deps.plan,
    billingStatus: 'none',
    createdAt: deps.now().toISOString(),
  };
  const added = await deps.customers.add(customer);
  const stands = added ? customer : ((await deps.customers.get(customerId)) ?? customer);
  return { added, customer: stands };
}

/** Stripe would refuse the usage of a customer that it does not know (FM7): better said now. */
async function checkAtStripe(stripe: Stripe, customerId: string): Promise<void> {
  const advice = 'create it at Stripe first, or check that STRIPE_SECRET_KEY is of its account';
  try {
    const found = await stripe.customers.retrieve(customerId);
    if (found.deleted !== true) return;
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError && error.code === 'resource_missing')) {
      throw error;
    }
    throw new BillingError('not_found', `Stripe does not know ${customerId}: ${advice}`);
  }
  throw new BillingError('not_found', `${customerId} was deleted at Stripe: ${advice}`);
}
