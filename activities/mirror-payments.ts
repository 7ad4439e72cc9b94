/**
 * Mirrors what moves money: invoices, payment intents, checkouts. An intent that pays an invoice is that
 * invoice's payment: both are asked for, and the invoice's row has the order and the payment's id, so that
 * they are one row in `payments` whatever came first (WH17, WH20).
 */
import type Stripe from 'stripe';
import type { InvoiceRow } from '../tables/invoices.ts';
import { ask, mirrorSubscription, once, storeInOrder, touch } from './event-group.ts';
import type { EventGroup, Mirrored } from './event-group.ts';
import { invoiceTruth, paymentIntentTruth, paymentOfInvoice } from './payment-truth.ts';
import type { IntentFacts } from './payment-truth.ts';
import { idOf, paymentIntentOf } from './stripe-truth.ts';

/** The intent is asked for after its invoice, even if it is known: both are the truth of one moment. */
export async function mirrorInvoice(group: EventGroup, id: string): Promise<Mirrored> {
  const { deps } = group;
  return await once(group, id, async () => {
    let known: InvoiceRow | undefined;
    const read = async () => (known = await deps.invoices.get(id));
    return await storeInOrder(id, read, async (revision) => {
      const invoice = await askForInvoice(group, id);
      const intentId = paymentIntentOf(invoice);
      const paid = intentId === undefined ? undefined : await askForIntent(group, intentId);
      const { paymentId, receiptOf } = known ?? {};
      const truth = invoiceTruth(invoice, paid, { paymentId, receiptOf });
      const row = await deps.invoices.mirror(truth, revision);
      if (row === undefined) return undefined;
      touch(group, row.customerId).invoices.add(id);
      const { customerId } = row;
      // A checkout's receipt is no payment of its own.
      if (receiptOf !== undefined) return { customerId, paymentId: undefined };
      return await storePaymentOf(group, { invoice, row, paid });
    });
  });
}

async function storePaymentOf(
  group: EventGroup,
  from: { invoice: Stripe.Invoice; row: InvoiceRow; paid: IntentFacts | undefined },
): Promise<Mirrored> {
  const { row, invoice } = from;
  const truth = paymentOfInvoice(from);
  const { customerId } = row;
  if (truth === undefined) return { customerId };
  const stored = await group.deps.payments.mirrorInvoice(truth, row.revision);
  if (stored?.row !== undefined) group.payments.set(truth.paymentId, stored.row);
  return { customerId, paymentId: truth.paymentId, attemptCount: invoice.attempt_count };
}

/** With all of its lines: the object itself shows ten (WH15). */
async function askForInvoice(group: EventGroup, id: string): Promise<Stripe.Invoice> {
  const { stripe } = group;
  const invoice = await ask(group, stripe.invoices.retrieve(id, { expand: ['payments'] }));
  if (!invoice.lines.has_more) return invoice;
  const data: Stripe.InvoiceLineItem[] = [];
  for await (const line of stripe.invoices.listLineItems(id, { limit: 100 })) data.push(line);
  group.asked += Math.ceil(data.length / 100);
  return { ...invoice, lines: { ...invoice.lines, data, has_more: false } };
}

/** With what became of its money: refunds stand on its charge, disputes beside it (WH19). */
async function askForIntent(group: EventGroup, id: string): Promise<IntentFacts> {
  const { stripe } = group;
  const intent = await ask(
    group,
    stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] }),
  );
  const charge = typeof intent.latest_charge === 'object' ? intent.latest_charge : null;
  if (charge?.disputed !== true) return { intent, charge, dispute: undefined };
  const { data } = await ask(group, stripe.disputes.list({ payment_intent: id, limit: 1 }));
  return { intent, charge, dispute: data[0] };
}

/** A draft that was deleted: only drafts can be. */
export async function mirrorDeletedInvoice(group: EventGroup, id: string): Promise<Mirrored> {
  const { invoices } = group.deps;
  const known = await invoices.get(id);
  if (known === undefined) return { customerId: undefined };
  const { revision, ...facts } = known;
  const row = await invoices.mirror({ ...facts, status: 'deleted' }, revision);
  if (row === undefined) throw new Error(`${id} was written while it was deleted`);
  touch(group, row.customerId).invoices.add(id);
  return { customerId: row.customerId };
}

/** Of an invoice if it pays one; else it is a payment by itself, and nobody's debt (WH16). */
export async function mirrorPaymentIntent(group: EventGroup, id: string): Promise<Mirrored> {
  const { deps } = group;
  return await once(group, id, async () => {
    const read = async () => await deps.payments.get(id);
    return await storeInOrder(id, read, async (revision) => {
      const paid = await askForIntent(group, id);
      const customerId = idOf(paid.intent.customer);
      const invoiceId = customerId === undefined ? undefined : await invoiceOf(group, id);
      if (invoiceId !== undefined) return await mirrorInvoice(group, invoiceId);
      touch(group, customerId);
      const truth = paymentIntentTruth(paid);
      if (truth === undefined) return { customerId };
      const stored = await deps.payments.mirror(truth, revision);
      if (stored === undefined) return undefined;
      if (stored.row !== undefined) group.payments.set(id, stored.row);
      return { customerId, paymentId: id };
    });
  });
}

/** Stripe tells it by the invoice's payments since 2025. */
async function invoiceOf(group: EventGroup, intentId: string): Promise<string | undefined> {
  const payment = { type: 'payment_intent' as const, payment_intent: intentId };
  const { data } = await ask(group, group.stripe.invoicePayments.list({ payment, limit: 1 }));
  return idOf(data[0]?.invoice);
}

export async function mirrorCheckout(group: EventGroup, id: string): Promise<Mirrored> {
  const { stripe } = group;
  return await once(group, id, async () => {
    const session = await ask(group, stripe.checkout.sessions.retrieve(id));
    const subscriptionId = idOf(session.subscription);
    if (subscriptionId !== undefined) await mirrorSubscription(group, subscriptionId);
    const intentId = idOf(session.payment_intent);
    const invoiceId = idOf(session.invoice);
    if (session.mode === 'payment' && intentId !== undefined) {
      if (invoiceId !== undefined) await linkReceipt(group, invoiceId, intentId);
      await mirrorPaymentIntent(group, intentId);
    }
    const customerId = idOf(session.customer);
    const touched = touch(group, customerId);
    if (session.mode === 'payment' && session.payment_status === 'paid')
      touched.paidCheckout = true;
    return { customerId };
  });
}

/**
 * The invoice that a checkout made as its receipt says nothing of the intent that paid: only the session
 * knows both. From here on it is that payment's, and a row of its own goes (WH20).
 */
async function linkReceipt(group: EventGroup, id: string, intentId: string): Promise<void> {
  const { invoices, payments } = group.deps;
  await mirrorInvoice(group, id);
  const known = await invoices.get(id);
  if (known === undefined || known.paymentId === intentId) return;
  const { revision, paymentId, ...facts } = known;
  if (known.receiptOf === undefined) {
    const row = await invoices.mirror({ ...facts, receiptOf: intentId }, revision);
    if (row === undefined) throw new Error(`${id} was written while it was linked`);
    group.mirrored.set(id, { customerId: row.customerId, paymentId: undefined });
  }
  // Also of a try that died in between.
  if (paymentId === undefined || paymentId === id) await payments.remove(id);
  group.payments.delete(id);
}

/** The customer as Stripe has it: name, email, or that it is gone (WH21). */
export async function mirrorCustomer(
  group: EventGroup,
  id: string,
  deletedAt: string,
): Promise<Mirrored> {
  const { deps, stripe } = group;
  return await once(group, id, async () => {
    const read = async () => ({ revision: (await deps.customers.standingOf(id)).standingRevision });
    await storeInOrder(id, read, async () => {
      const known = await deps.customers.standingOf(id);
      const customer = await ask(group, stripe.customers.retrieve(id));
      const changes =
        customer.deleted === true
          ? { deletedAt }
          : { name: customer.name ?? undefined, email: customer.email ?? undefined };
      const defaults = { plan: deps.planDefault, createdAt: deps.now().toISOString() };
      return (await deps.customers.change(id, changes, known, defaults)) ? true : undefined;
    });
    touch(group, id);
    return { customerId: id };
  });
}

/** The payment intent that a charge, a dispute or a refund is about. */
export async function intentOfCharge(
  group: EventGroup,
  chargeId: string,
): Promise<string | undefined> {
  const charge = await ask(group, group.stripe.charges.retrieve(chargeId));
  return idOf(charge.payment_intent);
}
