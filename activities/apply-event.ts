/**
 * Applies one event of the inbox. What it names is fetched from Stripe and that truth is stored; what
 * only the event itself knows (an attempt that failed, a change) is kept as history under a key made
 * from the fact, so that twins and repeats of an event add nothing.
 */
import type Stripe from 'stripe';
import { billingStatusOf } from '../domain/billing-status.ts';
import { deadLetterId } from '../domain/ids.ts';
import { effectOf } from '../domain/stripe-events.ts';
import type { EventEffect } from '../domain/stripe-events.ts';
import type { PaymentAttempt, PaymentTruth } from '../tables/payments.ts';
import type { SubscriptionTruth } from '../tables/subscriptions.ts';
import type { InboxEvent } from '../tables/webhook-events.ts';
import { rejectReported } from './apply-meter-errors.ts';
import type { Dependencies } from './dependencies.ts';
import { changesOf, paidAt, readSnapshot } from './event-payload.ts';
import { permanent, stripeProblem, temporary } from './failures.ts';
import {
  invoiceTruth,
  paymentIntentOf,
  paymentIntentTruth,
  reasonOf,
  subscriptionTruth,
} from './stripe-truth.ts';

interface Applying {
  deps: Dependencies;
  stripe: Stripe;
  event: InboxEvent;
  objectId: string;
  /** Taken before Stripe is asked. */
  fetchedAt: string;
  snapshot: Record<string, unknown>;
}

export async function applyEvent(
  deps: Dependencies,
  order: { eventId: string },
): Promise<{ outcome: 'applied' | 'already' }> {
  const event = await deps.webhookEvents.get(order.eventId);
  if (event === undefined) throw permanent('Refused', `no event ${order.eventId} in the inbox`);
  if (event.status === 'applied') return { outcome: 'already' };
  if (deps.stripe === undefined) throw temporary('billing is off: no Stripe key');
  const applying: Applying = {
    deps,
    stripe: deps.stripe,
    event,
    objectId: event.objectId ?? '',
    fetchedAt: deps.now().toISOString(),
    snapshot: readSnapshot(event),
  };
  try {
    await appliers[effectOf(event.type)](applying);
  } catch (error) {
    const problem = stripeProblem(error);
    if (problem === undefined || problem.kind === 'already_exists') throw error;
    throw temporary(
      problem.message,
      problem.kind === 'transient' ? problem.retryAfterMs : undefined,
    );
  }
  await deps.webhookEvents.settle(event.eventId, 'applied');
  const letter = deadLetterId('webhook-event', event.eventId);
  await deps.deadLetters.close(letter, { status: 'redriven' }, deps.now().toISOString());
  deps.metrics.webhooksApplied.inc({ effect: effectOf(event.type) });
  return { outcome: 'applied' };
}

const appliers: Readonly<Record<EventEffect, (applying: Applying) => Promise<void>>> = {
  invoice: applyInvoice,
  subscription: applySubscription,
  checkout: applyCheckout,
  'payment-intent': applyPaymentIntent,
  'meter-error': async ({ deps, stripe, event }) => {
    await rejectReported(deps, stripe, event.eventId);
  },
  ignored: async () => await Promise.resolve(),
};

async function applyInvoice(applying: Applying): Promise<void> {
  const { deps, stripe, event, objectId, snapshot } = applying;
  const invoice = await stripe.invoices.retrieve(objectId, { expand: ['payments'] });
  const intentId = paymentIntentOf(invoice);
  const intent =
    intentId === undefined ? undefined : await stripe.paymentIntents.retrieve(intentId);
  const failed = event.type === 'invoice.payment_failed';
  const truth = invoiceTruth(invoice, intent);
  if (truth !== undefined) {
    const attempts = Number(snapshot['attempt_count'] ?? truth.attemptCount ?? 0);
    const key = `invoice/${failed ? 'failed' : 'succeeded'}/${attempts}`;
    await storePayment(applying, truth, key, {
      at: paidAt(snapshot) ?? event.createdAt,
      outcome: failed ? 'failed' : 'succeeded',
      attemptCount: attempts,
    });
  }
  if (failed) {
    const { customerId } = event;
    deps.metrics.paymentsFailed.inc();
    deps.logger.warn({ customerId, invoiceId: objectId }, 'ALERT: a payment failed');
  }
  await refreshStanding(applying, truth?.customerId ?? event.customerId, {
    paymentId: truth?.paymentId,
  });
}

async function applyPaymentIntent(applying: Applying): Promise<void> {
  const { stripe, event, objectId, snapshot } = applying;
  const intent = await stripe.paymentIntents.retrieve(objectId);
  const truth = paymentIntentTruth(intent);
  if (truth === undefined) return;
  const failed = event.type === 'payment_intent.payment_failed';
  const charge = snapshot['latest_charge'];
  const which = typeof charge === 'string' ? charge : event.createdAt;
  // Of this attempt, as the event has it: the intent itself knows only the last one.
  const failureReason = failed
    ? reasonOf(snapshot as Partial<Stripe.PaymentIntent> as Stripe.PaymentIntent)
    : undefined;
  await storePayment(applying, truth, `intent/${failed ? 'failed' : 'succeeded'}/${which}`, {
    at: event.createdAt,
    outcome: failed ? 'failed' : 'succeeded',
    ...(failureReason === undefined ? {} : { failureReason }),
  });
  await refreshStanding(applying, truth.customerId, { paymentId: truth.paymentId });
}

async function storePayment(
  { deps, fetchedAt }: Applying,
  truth: PaymentTruth,
  key: string,
  attempt: PaymentAttempt,
): Promise<void> {
  await deps.payments.mirror(truth, fetchedAt);
  await deps.payments.addAttempt(truth.paymentId, key, attempt);
}

async function applySubscription(applying: Applying): Promise<void> {
  const { deps, event, objectId, snapshot } = applying;
  const truth = await mirrorSubscription(applying, objectId);
  if (truth === undefined) return;
  const changes = changesOf(applying.event.type, snapshot, event.payload);
  const entry = { at: event.createdAt, changes };
  await deps.subscriptions.addChanges(objectId, event.eventId, entry);
  await refreshStanding(applying, truth.customerId, { subscriptionId: objectId });
}

async function applyCheckout(applying: Applying): Promise<void> {
  const { stripe, event, objectId, fetchedAt, deps } = applying;
  const session = await stripe.checkout.sessions.retrieve(objectId);
  const { subscription, payment_intent: intent } = session;
  const subscriptionId = typeof subscription === 'string' ? subscription : subscription?.id;
  const linked =
    subscriptionId === undefined ? undefined : await mirrorSubscription(applying, subscriptionId);
  const intentId = typeof intent === 'string' ? intent : intent?.id;
  const payment =
    intentId === undefined
      ? undefined
      : paymentIntentTruth(await stripe.paymentIntents.retrieve(intentId));
  if (payment !== undefined) await deps.payments.mirror(payment, fetchedAt);
  const customer = session.customer;
  const customerId = typeof customer === 'string' ? customer : customer?.id;
  await refreshStanding(applying, customerId ?? event.customerId, {
    subscriptionId: linked?.subscriptionId,
    paymentId: payment?.paymentId,
  });
}

async function mirrorSubscription(
  { deps, stripe, fetchedAt }: Applying,
  subscriptionId: string,
): Promise<SubscriptionTruth | undefined> {
  const truth = subscriptionTruth(await stripe.subscriptions.retrieve(subscriptionId));
  await deps.subscriptions.mirror(truth, fetchedAt);
  return truth;
}

/**
 * From all that is stored. The row that this event touched is read from the table itself: the indexes
 * may lag behind it, and what we fetched may be older than what stands there.
 */
async function refreshStanding(
  { deps }: Applying,
  customerId: string | undefined,
  touched: { subscriptionId?: string | undefined; paymentId?: string | undefined },
): Promise<void> {
  if (customerId === undefined || customerId === '') return;
  const { subscriptionId, paymentId } = touched;
  const mirrored =
    subscriptionId === undefined ? undefined : await deps.subscriptions.get(subscriptionId);
  const others = (await deps.subscriptions.ofCustomer(customerId)).filter(
    (row) => row.subscriptionId !== subscriptionId,
  );
  const paid = paymentId === undefined ? undefined : await deps.payments.get(paymentId);
  const [newest] = await deps.payments.ofCustomer(customerId, 1);
  const isNewest = paid !== undefined && paid.stripeCreated >= (newest?.stripeCreated ?? '');
  const lastPayment = isNewest ? paid.status : newest?.status;
  await deps.customers.setBillingStatus(
    customerId,
    billingStatusOf({
      subscriptions: mirrored === undefined ? others : [...others, mirrored],
      ...(lastPayment === undefined ? {} : { lastPayment }),
    }),
    { plan: deps.planDefault, createdAt: deps.now().toISOString() },
  );
}
