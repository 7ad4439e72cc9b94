/** The demo's third part: a customer pays a checkout, and webhooks alone make its account active. */
import { setTimeout as delay } from 'node:timers/promises';
import type Stripe from 'stripe';
import { billingStatusOf } from '../../domain/billing-status.ts';
import type { BillingStatus } from '../../domain/billing-status.ts';
import type { Customers } from '../../tables/customers.ts';
import type { Payments } from '../../tables/payments.ts';
import type { Subscriptions } from '../../tables/subscriptions.ts';
import type { StripeControl } from '../../stripe-double/control.ts';
import type { DemoCustomer } from './customers.ts';

export interface AccountDemo {
  stripe: Stripe;
  control: StripeControl;
  customers: Customers;
  payments: Payments;
  subscriptions: Subscriptions;
  report: (line: string) => void;
}

type Who = Pick<DemoCustomer, 'customerId' | 'name'>;

/** A customer's account as our tables have it, and whether Stripe has the same. */
export interface AccountState {
  customerId: string;
  name: string;
  billingStatus: BillingStatus;
  subscriptions: { subscriptionId: string; status: string }[];
  /** Newest first; minor units. */
  payments: { paymentId: string; status: string; amount: number; currency: string }[];
  equal: boolean;
}

const patienceMs = 60_000;
const shownPayments = 3;
const monthlyFeeCents = 2000;

/** Once paid it stays so: a later start shows it and does nothing. */
export async function runAccountDemo(demo: AccountDemo, customer: Who): Promise<AccountState> {
  const { customerId, name } = customer;
  const sessions = await demo.stripe.checkout.sessions.list({ customer: customerId, limit: 100 });
  const isPaid = sessions.data.some(({ status }) => status === 'complete');
  const paidAt = isPaid
    ? performance.now()
    : await payCheckout(demo, customerId, sessions.data.length);
  for (;;) {
    const state = await stateOf(demo, customer);
    const waitedMs = performance.now() - paidAt;
    if (state.equal && !isPaid) {
      demo.report(`${name} is ${state.billingStatus}, ${Math.round(waitedMs)} ms after it paid`);
    }
    if (state.equal || waitedMs > patienceMs) return state;
    await delay(25);
  }
}

/** When it was paid. A first try that was killed may have left a session open: it is never paid. */
async function payCheckout(
  { stripe, control }: AccountDemo,
  customer: string,
  earlier: number,
): Promise<number> {
  const session = await stripe.checkout.sessions.create(
    {
      mode: 'subscription',
      customer,
      line_items: [
        {
          price_data: {
            currency: 'usd',
            product_data: { name: 'Monthly fee' },
            recurring: { interval: 'month' },
            unit_amount: monthlyFeeCents,
          },
          quantity: 1,
        },
      ],
      success_url: 'http://127.0.0.1/paid',
    },
    { idempotencyKey: `demo-checkout/${customer}/${earlier}` },
  );
  const paidAt = performance.now();
  await control.payCheckout(session.id);
  return paidAt;
}

async function stateOf(
  { stripe, customers, payments, subscriptions }: AccountDemo,
  { customerId, name }: Who,
): Promise<AccountState> {
  const [atStripe, row, held, paid] = await Promise.all([
    stripe.subscriptions.list({ customer: customerId, status: 'all', limit: 100 }),
    customers.get(customerId),
    subscriptions.ofCustomer(customerId),
    payments.ofCustomer(customerId, shownPayments),
  ]);
  const billingStatus = row?.billingStatus ?? 'none';
  const [last] = paid;
  // Ours follows from what we hold, and that is what Stripe has: the story has no debts and no end.
  const expected = billingStatusOf({
    openDebts: 0,
    subscriptions: atStripe.data.map(({ status }) => status),
    hadSubscription: false,
    paidCheckout: false,
  });
  const theirs = atStripe.data.map(({ id, status }) => `${id} ${status}`);
  const ours = held.map(({ subscriptionId, status }) => `${subscriptionId} ${status}`);
  return {
    customerId,
    name,
    billingStatus,
    subscriptions: held.map(({ subscriptionId, status }) => ({ subscriptionId, status })),
    payments: paid.map(({ paymentId, status, amount, currency }) => ({
      paymentId,
      status,
      amount,
      currency,
    })),
    equal:
      last !== undefined &&
      billingStatus === expected &&
      ours.toSorted().join() === theirs.toSorted().join(),
  };
}
