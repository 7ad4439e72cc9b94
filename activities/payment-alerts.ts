/** What a person must hear of at once: a log line that begins with ALERT, and a metric. */
import type { InboxEvent } from '../tables/webhook-events.ts';
import { mirrorSubscription } from './event-group.ts';
import type { EventGroup } from './event-group.ts';

export function alertOfPaymentFailure({ deps }: EventGroup, event: InboxEvent): void {
  deps.metrics.paymentsFailed.inc();
  const { customerId, objectId: invoiceId } = event;
  deps.logger.warn({ customerId, invoiceId }, 'ALERT: a payment failed');
}

/** WH19: a bank asks for a payment back, and there are days to answer. */
export function alertOfDispute(
  { group, event }: { group: EventGroup; event: InboxEvent },
  paymentIntentId: string | undefined,
): void {
  if (event.type !== 'charge.dispute.created') return;
  const { deps } = group;
  deps.metrics.paymentDisputes.inc();
  const facts = { disputeId: event.objectId, paymentIntentId };
  deps.logger.error(facts, 'ALERT: a payment is disputed, answer it at Stripe');
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
  deps.logger.error(
    { customerId, invoiceId, subscriptionId, endedAt, paidAt },
    'ALERT: money was taken for a subscription that had ended: give it back, or the service',
  );
}
