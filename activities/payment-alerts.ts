/** What a person must hear of at once (GA16). */
import type { InboxEvent } from '../tables/webhook-events.ts';
import { mirrorSubscription } from './event-group.ts';
import type { EventGroup } from './event-group.ts';

export async function alertOfPaymentFailure(
  { deps }: EventGroup,
  event: InboxEvent,
): Promise<void> {
  deps.metrics.paymentsFailed.inc();
  const { customerId, objectId: invoiceId } = event;
  await deps.raiseAlert({ kind: 'payment_failed', customerId, facts: { invoiceId } });
}

/** WH19: a bank asks for a payment back, and there are days to answer. */
export async function alertOfDispute(
  { group, event }: { group: EventGroup; event: InboxEvent },
  paymentIntentId: string | undefined,
  customerId: string | undefined,
): Promise<void> {
  if (event.type !== 'charge.dispute.created') return;
  const { deps } = group;
  deps.metrics.paymentDisputes.inc();
  const facts = { disputeId: event.objectId, paymentIntentId };
  await deps.raiseAlert({ kind: 'payment_disputed', customerId, facts });
}

/**
 * Money taken for a service that is off: the invoice was made while its subscription ran, and paid after
 * that had ended. The last invoice, which ending makes, is made after it.
 */
export async function alertOfLatePayment(
  group: EventGroup,
  invoiceId: string,
  paidAt: string | undefined,
): Promise<void> {
  const { deps } = group;
  const invoice = await deps.invoices.get(invoiceId);
  if (invoice?.subscriptionId === undefined || paidAt === undefined) return;
  // Paid as it was made: nothing can have ended in between, and Stripe need not be asked.
  if (invoice.attemptCount <= 1 && paidAt <= invoice.stripeCreated) return;
  await mirrorSubscription(group, invoice.subscriptionId);
  const endedAt = group.subscriptions.get(invoice.subscriptionId)?.endedAt;
  if (endedAt === undefined || invoice.stripeCreated >= endedAt || paidAt <= endedAt) return;
  deps.metrics.latePayments.inc();
  const { customerId, subscriptionId } = invoice;
  const facts = { invoiceId, subscriptionId, endedAt, paidAt };
  await deps.raiseAlert({ kind: 'late_payment', customerId, facts });
}
