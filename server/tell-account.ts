/** A customer's account as the API tells it. */
import type { z } from '@hono/zod-openapi';
import type { BillingAccount } from '../operations/billing.ts';
import type { PaymentRow } from '../tables/payments.ts';
import type { SubscriptionRow } from '../tables/subscriptions.ts';
import type * as shapes from './billing-shapes.ts';

export function tellAccount({
  customer,
  subscription,
  payments,
}: BillingAccount): z.infer<typeof shapes.accountShape> {
  return {
    customerId: customer.customerId,
    status: customer.billingStatus,
    plan: customer.plan,
    ...(subscription === undefined ? {} : { subscription: tellSubscription(subscription) }),
    payments: payments.map(tellPayment),
  };
}

function tellSubscription(row: SubscriptionRow) {
  const { currentPeriodStart, currentPeriodEnd, endedAt } = row;
  const cancelsAt = row.cancelAt ?? (row.cancelAtPeriodEnd ? currentPeriodEnd : undefined);
  return {
    subscriptionId: row.subscriptionId,
    status: row.status,
    isPaused: row.paused || row.status === 'paused',
    ...(currentPeriodStart === undefined ? {} : { currentPeriodStart }),
    ...(currentPeriodEnd === undefined ? {} : { currentPeriodEnd }),
    ...(cancelsAt === undefined || endedAt !== undefined ? {} : { cancelsAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
  };
}

function tellPayment(row: PaymentRow) {
  const { failureReason, refundedAmount, disputeStatus } = row;
  return {
    paymentId: row.paymentId,
    status: row.status,
    amount: row.amount,
    currency: row.currency,
    createdAt: row.stripeCreated,
    ...(failureReason === undefined ? {} : { failureReason }),
    ...(refundedAmount === undefined ? {} : { refundedAmount }),
    ...(disputeStatus === undefined ? {} : { disputeStatus }),
  };
}
