/** Whether a customer's account is in good standing: which debts are open, never what was paid last. */

export const billingStatuses = ['none', 'active', 'past_due', 'canceled'] as const;
export type BillingStatus = (typeof billingStatuses)[number];

export interface Standing {
  /** Invoices that are open and whose payment was tried and failed. */
  openDebts: number;
  /** Statuses of the subscriptions that have not ended. */
  subscriptions: readonly string[];
  /** One that began has ended. */
  hadSubscription: boolean;
  /** A checkout in payment mode was paid. */
  paidCheckout: boolean;
}

const owing = new Set(['past_due', 'unpaid']);
const running = new Set(['active', 'trialing']);
const ended = new Set(['canceled', 'incomplete_expired']);

/** Stripe's statuses: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses */
export function billingStatusOf(standing: Standing): BillingStatus {
  const { openDebts, subscriptions, hadSubscription, paidCheckout } = standing;
  if (openDebts > 0 || subscriptions.some((status) => owing.has(status))) return 'past_due';
  if (paidCheckout || subscriptions.some((status) => running.has(status))) return 'active';
  return hadSubscription && subscriptions.length === 0 ? 'canceled' : 'none';
}

export function hasEnded(subscriptionStatus: string): boolean {
  return ended.has(subscriptionStatus);
}

/** One whose first payment was never made has not begun. */
export function hasBegunAndEnded(subscriptionStatus: string): boolean {
  return subscriptionStatus === 'canceled';
}
