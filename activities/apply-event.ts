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
import { mirrorSubscription } from './event-group.ts';
import type { EventGroup } from './event-group.ts';
import { changesOf, paidAt, readContent } from './event-payload.ts';
import type { EventContent } from './event-payload.ts';
import { isMissing } from './failures.ts';
import {
  intentOfCharge,
  mirrorCheckout,
  mirrorCustomer,
  mirrorDeletedInvoice,
  mirrorInvoice,
  mirrorPaymentIntent,
} from './mirror-payments.ts';
import { refreshStandings } from './refresh-standing.ts';
import { reasonOf } from './stripe-truth.ts';
import { alertOfDispute, alertOfLatePayment, alertOfPaymentFailure } from './payment-alerts.ts';

interface Applying extends EventContent {
  group: EventGroup;
  event: InboxEvent;
  objectId: string;
}

/** Leaves all rows as this event wants them; its own in the inbox is the caller's. */
export async function applyEvent(group: EventGroup, event: InboxEvent): Promise<void> {
  const objectId = event.objectId ?? '';
  await appliers[effectOf(event.type)]({ group, event, objectId, ...readContent(event) });
  await refreshStandings(group);
}

const appliers: Readonly<Record<EventEffect, (applying: Applying) => Promise<void>>> = {
  invoice: applyInvoice,
  subscription: applySubscription,
  checkout: async ({ group, objectId }) => {
    await mirrorCheckout(group, objectId);
  },
  customer: async ({ group, event, objectId }) => {
    await mirrorCustomer(group, objectId, event.createdAt);
  },
  'payment-intent': applyPaymentIntent,
  charge: applyCharge,
  dispute: applyDispute,
  'credit-note': applyCreditNote,
  'meter-error': async ({ group, event }) => {
    group.asked += 1;
    await rejectReported(group.deps, group.stripe, event);
  },
  ignored: async () => await Promise.resolve(),
};

/** Of a payment that was tried; other events of an invoice only say that there is something to look at. */
const invoiceAttempts: Readonly<Record<string, PaymentAttempt['outcome']>> = {
  'invoice.payment_failed': 'failed',
  'invoice.payment_succeeded': 'succeeded',
  'invoice.paid': 'succeeded',
};

async function applyInvoice(applying: Applying): Promise<void> {
  const { group, event, objectId, snapshot } = applying;
  const { paymentId, attemptCount } = await mirrorOrGone(applying);
  const outcome = invoiceAttempts[event.type];
  if (outcome === undefined) return;
  if (paymentId !== undefined) {
    const attempts = Number(snapshot['attempt_count'] ?? attemptCount ?? 0);
    await addAttempt(group, paymentId, `invoice/${outcome}/${attempts}`, {
      at: paidAt(snapshot) ?? event.createdAt,
      outcome,
      attemptCount: attempts,
    });
    if (outcome === 'succeeded') await alertOfLatePayment(group, objectId, paidAt(snapshot));
  }
  if (outcome === 'failed') await alertOfPaymentFailure(group, event);
}

/** Drafts can be deleted: an event of one that is gone has been overtaken. */
async function mirrorOrGone({ group, event, objectId }: Applying) {
  try {
    return await mirrorInvoice(group, objectId);
  } catch (error) {
    const wasDraft = ['invoice.created', 'invoice.updated', 'invoice.deleted'].includes(event.type);
    if (!wasDraft || !isMissing(error)) throw error;
    return await mirrorDeletedInvoice(group, objectId);
  }
}

async function applyPaymentIntent({ group, event, objectId, snapshot }: Applying): Promise<void> {
  const { paymentId } = await mirrorPaymentIntent(group, objectId);
  const outcome = intentAttempts[event.type];
  if (paymentId === undefined || outcome === undefined) return;
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
}

const intentAttempts: Readonly<Record<string, PaymentAttempt['outcome']>> = {
  'payment_intent.payment_failed': 'failed',
  'payment_intent.succeeded': 'succeeded',
};

async function applySubscription({ group, event, objectId, ...content }: Applying): Promise<void> {
  await mirrorSubscription(group, objectId);
  const changes = changesOf(event.type, content);
  // An event that tells of no change is no history: the inbox has it.
  if (changes.length === 0) return;
  const entry = { at: event.createdAt, changes };
  const known = group.subscriptions.get(objectId);
  const { subscriptions } = group.deps;
  const { row, removed } = await subscriptions.addChanges(objectId, event.eventId, entry, known);
  group.subscriptions.set(objectId, row);
  tellOfRemoved(group, { subscriptionId: objectId }, removed);
}

/** A refund stands on the charge of the payment's intent. */
async function applyCharge({ group, objectId, snapshot }: Applying): Promise<void> {
  const intentId = textOf(snapshot['payment_intent']) ?? (await intentOfCharge(group, objectId));
  // A charge without an intent was made by other means than ours.
  if (intentId !== undefined) await mirrorPaymentIntent(group, intentId);
}

async function applyDispute(applying: Applying): Promise<void> {
  const { group, objectId, snapshot } = applying;
  const named = textOf(snapshot['payment_intent']);
  const dispute = named === undefined ? await askForDispute(group, objectId) : undefined;
  const intentId = named ?? textOf(dispute?.payment_intent);
  const { customerId } =
    intentId === undefined ? applying.event : await mirrorPaymentIntent(group, intentId);
  await alertOfDispute(applying, intentId, customerId);
}

async function askForDispute(group: EventGroup, id: string): Promise<Stripe.Dispute> {
  group.asked += 1;
  return await group.stripe.disputes.retrieve(id);
}

async function applyCreditNote({ group, objectId, snapshot }: Applying): Promise<void> {
  let invoiceId = textOf(snapshot['invoice']);
  if (invoiceId === undefined) {
    group.asked += 1;
    const note = await group.stripe.creditNotes.retrieve(objectId);
    invoiceId = typeof note.invoice === 'string' ? note.invoice : note.invoice.id;
  }
  await mirrorInvoice(group, invoiceId);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
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
