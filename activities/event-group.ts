/**
 * What the events of one task have in common. Each of them was in the inbox before the task began, so an
 * object that is asked for now is the truth for all events that name it: it is fetched and stored once.
 */
import type Stripe from 'stripe';
import type { PaymentRow, PaymentTruth } from '../tables/payments.ts';
import type { SubscriptionRow } from '../tables/subscriptions.ts';
import type { Dependencies } from './dependencies.ts';
import {
  idOf,
  invoiceTruth,
  paymentIntentOf,
  paymentIntentTruth,
  subscriptionTruth,
} from './stripe-truth.ts';

/** What an object's mirroring came to. */
export interface Mirrored {
  customerId: string | undefined;
  paymentId?: string;
  attemptCount?: number | undefined;
}

export interface EventGroup {
  deps: Dependencies;
  stripe: Stripe;
  /** Questions to Stripe so far. */
  asked: number;
  /** By the id of Stripe's object. */
  mirrored: Map<string, Mirrored>;
  /** Rows that this task wrote, as they stand: an index may lag behind them. */
  subscriptions: Map<string, SubscriptionRow>;
  payments: Map<string, PaymentRow>;
  /** Customers whose billing status tells of all these rows. */
  standing: Set<string>;
}

export function createEventGroup(deps: Dependencies, stripe: Stripe): EventGroup {
  return {
    deps,
    stripe,
    asked: 0,
    mirrored: new Map(),
    subscriptions: new Map(),
    payments: new Map(),
    standing: new Set(),
  };
}

export async function mirrorSubscription(group: EventGroup, id: string): Promise<Mirrored> {
  const { deps, stripe } = group;
  return await once(group, id, async (fetchedAt) => {
    const truth = subscriptionTruth(await ask(group, stripe.subscriptions.retrieve(id)));
    const { row } = await deps.subscriptions.mirror(truth, fetchedAt);
    group.standing.clear();
    group.subscriptions.set(id, row);
    return { customerId: truth.customerId };
  });
}

/** The intent is asked for after its invoice, even if it is known: both are the truth of one moment. */
export async function mirrorInvoice(group: EventGroup, id: string): Promise<Mirrored> {
  const { stripe } = group;
  return await once(group, id, async (fetchedAt) => {
    const question = stripe.invoices.retrieve(id, { expand: ['payments'] });
    const invoice = await ask(group, question);
    const intentId = paymentIntentOf(invoice);
    const intent =
      intentId === undefined
        ? undefined
        : await ask(group, stripe.paymentIntents.retrieve(intentId));
    const truth = invoiceTruth(invoice, intent);
    return truth === undefined
      ? { customerId: undefined }
      : await storePayment(group, truth, fetchedAt);
  });
}

export async function mirrorPaymentIntent(group: EventGroup, id: string): Promise<Mirrored> {
  const { stripe } = group;
  return await once(group, id, async (fetchedAt) => {
    const truth = paymentIntentTruth(await ask(group, stripe.paymentIntents.retrieve(id)));
    return truth === undefined
      ? { customerId: undefined }
      : await storePayment(group, truth, fetchedAt);
  });
}

export async function mirrorCheckout(group: EventGroup, id: string): Promise<Mirrored> {
  const { stripe } = group;
  return await once(group, id, async () => {
    const session = await ask(group, stripe.checkout.sessions.retrieve(id));
    const subscriptionId = idOf(session.subscription);
    if (subscriptionId !== undefined) await mirrorSubscription(group, subscriptionId);
    const intentId = idOf(session.payment_intent);
    if (intentId !== undefined) await mirrorPaymentIntent(group, intentId);
    return { customerId: idOf(session.customer) };
  });
}

/** `fetchedAt` is taken before Stripe is asked (WH4). */
async function once(
  group: EventGroup,
  id: string,
  mirror: (fetchedAt: string) => Promise<Mirrored>,
): Promise<Mirrored> {
  const known = group.mirrored.get(id);
  if (known !== undefined) return known;
  const mirrored = await mirror(group.deps.now().toISOString());
  group.mirrored.set(id, mirrored);
  return mirrored;
}

async function ask<Answer>(group: EventGroup, question: Promise<Answer>): Promise<Answer> {
  group.asked += 1;
  return await question;
}

async function storePayment(
  group: EventGroup,
  truth: PaymentTruth,
  fetchedAt: string,
): Promise<Mirrored> {
  const { paymentId, customerId, attemptCount } = truth;
  const { row } = await group.deps.payments.mirror(truth, fetchedAt);
  group.standing.clear();
  if (row !== undefined) group.payments.set(paymentId, row);
  return { customerId, paymentId, attemptCount };
}
