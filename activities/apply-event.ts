/**
 * Applies one event of the inbox. What it names is fetched from Stripe and that truth is stored; what
 * only the event itself knows (an attempt that failed, a change) is kept as history under a key made
 * from the fact, so that twins and repeats of an event add nothing.
 */
import type Stripe from 'stripe';
import { effectOf } from '../domain/stripe-events.ts';
import type { EventEffect } from '../domain/stripe-events.ts';
import type { PaymentAttempt } from '../tables/payments.ts';
import type { InboxEvent } from '../tables/webhook-events.ts';
import { rejectReported } from './apply-meter-errors.ts';
import {
  mirrorCheckout,
  mirrorInvoice,
  mirrorPaymentIntent,
  mirrorSubscription,
} from './event-group.ts';
import type { EventGroup } from './event-group.ts';
import { changesOf, paidAt, readContent } from './event-payload.ts';
import type { EventContent } from './event-payload.ts';
import { refreshStanding } from './refresh-standing.ts';
import { reasonOf } from './stripe-truth.ts';

interface Applying extends EventContent {
  group: EventGroup;
  event: InboxEvent;
  objectId: string;
}

/** Leaves all rows as this event wants them; its own in the inbox is the caller's. */
export async function applyEvent(group: EventGroup, event: InboxEvent): Promise<void> {
  const objectId = event.objectId ?? '';
  await appliers[effectOf(event.type)]({ group, event, objectId, ...readContent(event) });
}

const appliers: Readonly<Record<EventEffect, (applying: Applying) => Promise<void>>> = {
  invoice: applyInvoice,
  subscription: applySubscription,
  checkout: applyCheckout,
  'payment-intent': applyPaymentIntent,
  'meter-error': async ({ group, event }) => {
    group.asked += 1;
    await rejectReported(group.deps, group.stripe, event.eventId);
  },
  ignored: async () => await Promise.resolve(),
};

async function applyInvoice({ group, event, objectId, snapshot }: Applying): Promise<void> {
  const { customerId, paymentId, attemptCount } = await mirrorInvoice(group, objectId);
  const outcome = event.type === 'invoice.payment_failed' ? 'failed' : 'succeeded';
  if (paymentId !== undefined) {
    const attempts = Number(snapshot['attempt_count'] ?? attemptCount ?? 0);
    await addAttempt(group, paymentId, `invoice/${outcome}/${attempts}`, {
      at: paidAt(snapshot) ?? event.createdAt,
      outcome,
      attemptCount: attempts,
    });
  }
  if (outcome === 'failed') {
    group.deps.metrics.paymentsFailed.inc();
    group.deps.logger.warn(
      { customerId: event.customerId, invoiceId: objectId },
      'ALERT: a payment failed',
    );
  }
  await refreshStanding(group, customerId ?? event.customerId);
}

async function applyPaymentIntent({ group, event, objectId, snapshot }: Applying): Promise<void> {
  const { customerId, paymentId } = await mirrorPaymentIntent(group, objectId);
  if (paymentId === undefined) return;
  const outcome = event.type === 'payment_intent.payment_failed' ? 'failed' : 'succeeded';
  const charge = snapshot['latest_charge'];
  const which = typeof charge === 'string' ? charge : event.createdAt;
  // Of this attempt, as the event has it: the intent itself knows only the last one.
  const failureReason =
    outcome === 'failed'
      ? reasonOf(snapshot as Partial<Stripe.PaymentIntent> as Stripe.PaymentIntent)
      : undefined;
  await addAttempt(group, paymentId, `intent/${outcome}/${which}`, {
    at: event.createdAt,
    outcome,
    ...(failureReason === undefined ? {} : { failureReason }),
  });
  await refreshStanding(group, customerId);
}

async function applySubscription({ group, event, objectId, ...content }: Applying): Promise<void> {
  const { customerId } = await mirrorSubscription(group, objectId);
  const changes = changesOf(event.type, content);
  // An event that tells of no change is no history: the inbox has it.
  if (changes.length > 0) {
    const entry = { at: event.createdAt, changes };
    const known = group.subscriptions.get(objectId);
    const { subscriptions } = group.deps;
    const { row, removed } = await subscriptions.addChanges(objectId, event.eventId, entry, known);
    group.subscriptions.set(objectId, row);
    tellOfRemoved(group, { subscriptionId: objectId }, removed);
  }
  await refreshStanding(group, customerId);
}

async function applyCheckout({ group, event, objectId }: Applying): Promise<void> {
  const { customerId } = await mirrorCheckout(group, objectId);
  await refreshStanding(group, customerId ?? event.customerId);
}

async function addAttempt(
  group: EventGroup,
  paymentId: string,
  fact: string,
  attempt: PaymentAttempt,
): Promise<void> {
  const { payments } = group.deps;
  const known = group.payments.get(paymentId);
  const { row, removed } = await payments.addAttempt(paymentId, fact, attempt, known);
  if (row !== undefined) group.payments.set(paymentId, row);
  tellOfRemoved(group, { paymentId }, removed);
}

/** The inbox has the events themselves for 90 days. */
function tellOfRemoved({ deps }: EventGroup, whose: object, removed: readonly string[]): void {
  if (removed.length === 0) return;
  deps.logger.info({ ...whose, removed }, 'a full history: its oldest entries made room');
}
