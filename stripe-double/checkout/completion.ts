import type { Account } from '../account/account.ts';
import { refused } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { addCustomer } from '../customers/customers.ts';
import { addReceipt, collect } from '../invoices/payment.ts';
import { confirmIntent } from '../payment-intents/confirmation.ts';
import { addPaymentIntent, savePaymentIntent } from '../payment-intents/payment-intents.ts';
import type { PaymentIntent } from '../payment-intents/schema.ts';
import type { Decline } from '../payment-methods/cards.ts';
import { cardOf } from '../payment-methods/cards.ts';
import { attachCard } from '../payment-methods/payment-methods.ts';
import { startSubscription } from '../subscriptions/start.ts';
import type { CheckoutSession } from './schema.ts';
import { totalOfSession } from './schema.ts';
import { renderSession } from './view.ts';

export type Payment = {
  card: string;
  email?: string | undefined;
  /** A bank debit, say: the session is complete, and the money comes or fails later. */
  isAsync: boolean;
};

export type Paid = { session: CheckoutSession; decline: Decline | null };

/** What the customer does on the checkout page: pays, and is refused when the card refuses. */
export function payCheckout(account: Account, session: CheckoutSession, payment: Payment): Paid {
  checkOpen(account, session);
  const { decline = null } = cardOf(payment.card);
  if (decline !== null && !payment.isAsync) {
    return { session: refuse(account, session, payment.card), decline };
  }
  const known = withCustomer(account, session, payment.email);
  const complete =
    session.mode === 'payment'
      ? completePayment(account, known, payment)
      : completeSubscription(account, known, payment);
  account.checkoutSessions.put(complete.id, complete);
  tell(account, complete, 'completed');
  return { session: complete, decline: null };
}

/** The money of an asynchronous payment comes, or does not. */
export function settleCheckout(
  account: Account,
  session: CheckoutSession,
  succeeds: boolean,
): CheckoutSession {
  const { pendingMethod } = session;
  const method = account.paymentMethods.get(pendingMethod ?? '');
  if (session.status !== 'complete' || method === undefined) {
    throw refused('No asynchronous payment is under way.');
  }
  const token = succeeds ? 'pm_card_visa' : 'pm_card_chargeCustomerFail';
  const used = account.paymentMethods.put(method.id, { ...method, token });
  const intent = account.paymentIntents.get(session.paymentIntent ?? '');
  const invoice = account.invoices.get(session.invoice ?? '');
  if (invoice?.status === 'open') collect(account, invoice, used.id);
  else if (intent !== undefined) confirmIntent(account, intent, used, true);
  const settled = account.checkoutSessions.put(session.id, {
    ...session,
    paymentStatus: succeeds ? 'paid' : 'unpaid',
    pendingMethod: null,
  });
  tell(account, settled, succeeds ? 'async_payment_succeeded' : 'async_payment_failed');
  return settled;
}

export function expireCheckout(account: Account, session: CheckoutSession): CheckoutSession {
  if (session.status !== 'open') {
    throw refused('Only Checkout Sessions with a status in ["open"] can be expired.');
  }
  const expired = account.checkoutSessions.put(session.id, { ...session, status: 'expired' });
  tell(account, expired, 'expired');
  return expired;
}

/** Expires what is past its time; the double looks whenever its clock is set. */
export function expireDue(account: Account): void {
  const now = account.clock.nowSeconds();
  for (const session of account.checkoutSessions.values()) {
    if (session.status === 'open' && session.expiresAt <= now) expireCheckout(account, session);
  }
}

function completePayment(
  account: Account,
  session: CheckoutSession,
  { card, isAsync }: Payment,
): CheckoutSession {
  const intent = intentOf(account, session);
  const method = attachCard(account, card, session.customer);
  if (isAsync) {
    const processing: PaymentIntent = { ...intent, paymentMethod: method.id, status: 'processing' };
    savePaymentIntent(account, processing, 'payment_intent.processing');
    const paymentIntent = intent.id;
    return { ...session, paymentIntent, pendingMethod: method.id, status: 'complete' };
  }
  confirmIntent(account, intent, method, true);
  const invoice = receiptOf(account, session);
  return {
    ...session,
    invoice,
    paymentIntent: intent.id,
    paymentStatus: 'paid',
    status: 'complete',
  };
}

function receiptOf(account: Account, session: CheckoutSession): string | null {
  if (!session.invoiceCreation || session.customer === null) return null;
  const now = account.clock.nowSeconds();
  const { customer, currency } = session;
  const lines = session.lineItems.map(({ price, quantity, amount }) => ({
    id: newId('il', 24),
    amount,
    currency,
    description: null,
    metadata: {},
    period: { start: now, end: now },
    price,
    quantity: String(quantity ?? 1),
    unitAmount: account.prices.get(price)?.unit_amount_decimal ?? null,
    invoiceItem: null,
    subscriptionItem: null,
  }));
  return addReceipt(account, { customer, currency, lines }).id;
}

function completeSubscription(
  account: Account,
  session: CheckoutSession,
  { card, isAsync }: Payment,
): CheckoutSession {
  const customer = session.customer ?? '';
  const method = attachCard(account, card, customer);
  const subscription = startSubscription(account, {
    customer,
    defaultPaymentMethod: method.id,
    description: session.made.description,
    metadata: session.made.metadata,
    paymentBehavior: isAsync ? 'default_incomplete' : 'allow_incomplete',
    wantedItems: session.lineItems.map(({ price, quantity }) => ({
      price,
      quantity: quantity ?? undefined,
    })),
  });
  const isDue = totalOfSession(session) > 0;
  return {
    ...session,
    invoice: subscription.latestInvoice,
    paymentStatus: !isDue ? 'no_payment_required' : isAsync ? 'unpaid' : 'paid',
    pendingMethod: isDue && isAsync ? method.id : null,
    status: 'complete',
    subscription: subscription.id,
  };
}

/** A refused card leaves the session open, and a payment intent that says why. */
function refuse(account: Account, session: CheckoutSession, card: string): CheckoutSession {
  if (totalOfSession(session) === 0) return session;
  const intent = intentOf(account, session);
  const kept = account.checkoutSessions.put(session.id, { ...session, paymentIntent: intent.id });
  confirmIntent(account, intent, attachCard(account, card, null), true);
  return kept;
}

/** The session's payment intent, made by the first attempt, as at Stripe. */
function intentOf(account: Account, session: CheckoutSession): PaymentIntent {
  const known = account.paymentIntents.get(session.paymentIntent ?? '');
  if (known !== undefined) return { ...known, customer: session.customer };
  return addPaymentIntent(account, {
    amount: totalOfSession(session),
    currency: session.currency,
    customer: session.customer,
    description: session.made.description,
    metadata: session.mode === 'payment' ? session.made.metadata : {},
    setupFutureUsage: session.made.setupFutureUsage,
  });
}

function withCustomer(
  account: Account,
  session: CheckoutSession,
  email = session.customerEmail ?? 'customer@example.com',
): CheckoutSession {
  if (session.customer !== null) return session;
  const isNeeded = session.mode === 'subscription' || session.customerCreation === 'always';
  const told = { ...session, customerEmail: session.customerEmail ?? email };
  return isNeeded ? { ...told, customer: addCustomer(account, { email }).id } : told;
}

function checkOpen(account: Account, { expiresAt, status }: CheckoutSession): void {
  if (status === 'open' && expiresAt > account.clock.nowSeconds()) return;
  throw refused(`This Checkout Session is ${status === 'open' ? 'past its time' : status}.`);
}

type Event = 'async_payment_failed' | 'async_payment_succeeded' | 'completed' | 'expired';

function tell(account: Account, session: CheckoutSession, event: Event): void {
  account.events.happened(`checkout.session.${event}`, renderSession(account, session));
}
