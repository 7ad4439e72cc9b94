/** Whether a customer's account is in good standing, worked out from what is stored, never from order. */

export const billingStatuses = ['none', 'active', 'past_due', 'canceled'] as const;
export type BillingStatus = (typeof billingStatuses)[number];

export interface Standing {
  subscriptions: readonly { status: string }[];
  /** Of the payment that Stripe made last; a later success clears an earlier failure. */
  lastPayment?: 'succeeded' | 'failed';
}

const owing = new Set(['past_due', 'unpaid']);
const running = new Set(['active', 'trialing']);

/** Stripe's statuses: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses */
export function billingStatusOf({ subscriptions, lastPayment }: Standing): BillingStatus {
  const statuses = subscriptions
    .map(({ status }) => status)
    // Its first payment was never made: it has not begun.
    .filter((status) => status !== 'incomplete_expired');
  const allCancelled = statuses.length > 0 && statuses.every((status) => status === 'canceled');
  if (statuses.some((status) => owing.has(status))) return 'past_due';
  if (allCancelled) return 'canceled';
  if (lastPayment === 'failed') return 'past_due';
  if (statuses.some((status) => running.has(status))) return 'active';
  if (statuses.length === 0 && lastPayment === 'succeeded') return 'active';
  return 'none';
}

/** The payment that Stripe made last; of those made in the same second the same one every time. */
export function lastPaymentOf<Payment extends { stripeCreated: string; paymentId: string }>(
  payments: readonly Payment[],
): Payment | undefined {
  const rank = ({ stripeCreated, paymentId }: Payment) => `${stripeCreated} ${paymentId}`;
  let last: Payment | undefined;
  for (const payment of payments)
    if (last === undefined || rank(payment) > rank(last)) last = payment;
  return last;
}
