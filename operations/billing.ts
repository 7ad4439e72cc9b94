/** What a customer does with its account at Stripe: pay by checkout, change it in the portal, look at it. */
import { createHash } from 'node:crypto';
import Stripe from 'stripe';
import { hasEnded } from '../domain/billing-status.ts';
import { BillingError } from '../domain/errors.ts';
import { portalIdempotencyKey } from '../domain/ids.ts';
import { createOnce } from '../platform/stripe-once.ts';
import type { Customer, Customers } from '../tables/customers.ts';
import type { PaymentRow, Payments } from '../tables/payments.ts';
import type { SubscriptionRow, Subscriptions } from '../tables/subscriptions.ts';

export interface BillingDependencies {
  /** Undefined when billing is off. */
  stripe: Stripe | undefined;
  customers: Pick<Customers, 'get' | 'standingOf'>;
  subscriptions: Pick<Subscriptions, 'get' | 'ofCustomer'>;
  payments: Pick<Payments, 'ofCustomer'>;
  /** Where Stripe sends people back to, unless the request says so. */
  publicUrl: string | undefined;
}

const lastPayments = 10;

/** Throws BillingError `billing_disabled` when there is no Stripe to ask. */
export function requireStripe({ stripe }: Pick<BillingDependencies, 'stripe'>): Stripe {
  if (stripe !== undefined) return stripe;
  throw new BillingError('billing_disabled', 'billing is off on this server');
}

/**
 * What Stripe's errors are to a customer: that Stripe does not know it, or that it may try again. Whatever
 * else Stripe says (a key that is refused, prices or a portal that nobody set up) is ours to mend: it is the
 * cause, which is logged and not told.
 */
export async function askStripe<T>(customerId: string, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (cause) {
    if (!(cause instanceof Stripe.errors.StripeError)) throw cause;
    if (cause.code === 'resource_missing' && cause.param === 'customer') {
      throw new BillingError('not_found', `Stripe does not know ${customerId}`, { cause });
    }
    throw new BillingError('unavailable', 'Stripe cannot be asked now: try again', { cause });
  }
}

/** Where to come back to: as the request says, else our own address, marked with how it went. */
export function returnUrlOf(
  { publicUrl }: Pick<BillingDependencies, 'publicUrl'>,
  field: string,
  given: string | undefined,
  mark: string,
): string {
  if (given !== undefined) return given;
  if (publicUrl !== undefined) return new URL(`/?${mark}`, publicUrl).href;
  const message = `${field}: say where to come back to (this server has no PUBLIC_URL)`;
  throw new BillingError('invalid_request', message);
}

/** A session of Stripe's customer portal: it is opened within minutes, or another one is asked for. */
export async function openPortal(
  deps: BillingDependencies,
  customerId: string,
  { requestId, returnUrl }: { requestId: string; returnUrl?: string | undefined },
): Promise<{ url: string }> {
  const stripe = requireStripe(deps);
  const return_url = returnUrlOf(deps, 'returnUrl', returnUrl, 'portal=left');
  const digest = createHash('sha256').update(JSON.stringify([requestId, return_url]));
  const key = portalIdempotencyKey(customerId, digest.digest('hex').slice(0, 32));
  const { url } = await askStripe(
    customerId,
    async () =>
      await createOnce(
        key,
        async (idempotencyKey) =>
          await stripe.billingPortal.sessions.create(
            { customer: customerId, return_url },
            { idempotencyKey },
          ),
      ),
  );
  return { url };
}

export interface BillingAccount {
  customer: Customer;
  /** The one that lives, else the last one that lived. */
  subscription: SubscriptionRow | undefined;
  /** Newest first. */
  payments: PaymentRow[];
}

/** As the webhooks told it: Stripe is not asked. Throws BillingError `not_found`, and `billing_disabled`. */
export async function showAccount(
  deps: BillingDependencies,
  customerId: string,
): Promise<BillingAccount> {
  requireStripe(deps);
  return await readAccount(deps, customerId);
}

/** What operators see of it, where billing is off as well. Throws BillingError `not_found`. */
export async function readAccount(
  deps: Pick<BillingDependencies, 'customers' | 'subscriptions' | 'payments'>,
  customerId: string,
): Promise<BillingAccount> {
  const [customer, living, payments] = await Promise.all([
    deps.customers.get(customerId),
    livingSubscription(deps, customerId),
    deps.payments.ofCustomer(customerId, lastPayments),
  ]);
  if (customer === undefined) throw new BillingError('not_found', `no customer ${customerId}`);
  const subscription = living ?? (await deps.subscriptions.ofCustomer(customerId)).at(-1);
  return { customer, subscription, payments };
}

/** The newest subscription that has not ended; read by key, for an index may lag (WH23). */
export async function livingSubscription(
  {
    customers,
    subscriptions,
  }: {
    customers: Pick<Customers, 'standingOf'>;
    subscriptions: Pick<Subscriptions, 'get'>;
  },
  customerId: string,
): Promise<SubscriptionRow | undefined> {
  const { standing } = await customers.standingOf(customerId);
  const ids = standing.subscriptions;
  const rows = await Promise.all(ids.map(async (id) => await subscriptions.get(id)));
  return rows
    .filter((row) => row?.customerId === customerId && !hasEnded(row.status))
    .toSorted((one, other) => (one?.stripeCreated ?? '').localeCompare(other?.stripeCreated ?? ''))
    .at(-1);
}
