import type { Account } from '../account/account.ts';
import { refused } from '../core/errors.ts';
import { confirmIntent } from '../payment-intents/confirmation.ts';
import { addPaymentIntent, savePaymentIntent } from '../payment-intents/payment-intents.ts';
import type { PaymentIntent } from '../payment-intents/schema.ts';
import type { Decline } from '../payment-methods/cards.ts';
import { paymentMethodFor } from '../payment-methods/payment-methods.ts';
import { saveSubscription } from '../subscriptions/subscriptions.ts';
import type { NewInvoice } from './invoices.ts';
import { addInvoice, saveInvoice } from './invoices.ts';
import { paymentsOf } from './payment-view.ts';
import type { Invoice } from './schema.ts';
import { totalOf } from './schema.ts';
import { renderInvoice } from './view.ts';

/** Stripe tries again after about three days, by its default retry rules. */
const retryAfterSeconds = 3 * 86_400;

/** A draft becomes open, with a number and a payment intent; one over nothing is paid at once. */
export function finalize(account: Account, draft: Invoice): Invoice {
  const total = totalOf(draft);
  const intent =
    total > 0
      ? addPaymentIntent(account, {
          amount: total,
          currency: draft.currency,
          customer: draft.customer,
          description: draft.subscription === null ? 'Payment for Invoice' : 'Subscription update',
          invoice: draft.id,
        })
      : undefined;
  const open = saveInvoice(account, {
    ...draft,
    finalizedAt: account.clock.nowSeconds(),
    number: nextNumber(account, draft.customer),
    paymentIntent: intent?.id ?? null,
    status: 'open',
  });
  tell(account, open, 'invoice.finalized');
  return intent === undefined ? markPaid(account, open, 0) : open;
}

export type Collected = { invoice: Invoice; intent: PaymentIntent | null; decline: Decline | null };

/** Tries to take an open invoice's money, by the card named or the customer's default one. */
export function collect(account: Account, invoice: Invoice, methodId?: string): Collected {
  const intent = account.paymentIntents.get(invoice.paymentIntent ?? '');
  const chosen = methodId ?? defaultMethodOf(account, invoice);
  if (intent === undefined || chosen === null) {
    return { invoice: markFailed(account, invoice), intent: intent ?? null, decline: null };
  }
  const method = paymentMethodFor(account, chosen, invoice.customer);
  const confirmed = confirmIntent(account, intent, method, true);
  const settled = settleInvoiceOf(account, confirmed.intent) ?? invoice;
  return { invoice: settled, intent: confirmed.intent, decline: confirmed.decline };
}

/** What an attempt on a payment intent means to the invoice that it pays, if it pays one. */
export function settleInvoiceOf(account: Account, intent: PaymentIntent): Invoice | undefined {
  const invoice = account.invoices.get(intent.invoice ?? '');
  if (invoice?.status !== 'open' && invoice?.status !== 'uncollectible') return undefined;
  if (intent.status === 'succeeded') return markPaid(account, invoice, intent.amount);
  return intent.lastPaymentError === null ? invoice : markFailed(account, invoice);
}

/** Paid without Stripe seeing the money: the payment intent is given up. */
export function payOutOfBand(account: Account, invoice: Invoice): Invoice {
  cancelIntentOf(account, invoice);
  return markPaid(account, invoice, totalOf(invoice));
}

/** A credit note over an open invoice: nothing is left to pay when it covers all. */
export function creditInvoice(account: Account, invoice: Invoice, amount: number): Invoice {
  const amountCredited = invoice.amountCredited + amount;
  const left = totalOf(invoice) - amountCredited;
  if (left < 0) throw refused('The sum of credit notes is more than the invoice comes to.');
  const credited = saveInvoice(account, { ...invoice, amountCredited });
  if (left > 0) return credited;
  cancelIntentOf(account, credited);
  return markPaid(account, credited, 0);
}

export function voidInvoice(account: Account, invoice: Invoice): Invoice {
  cancelIntentOf(account, invoice);
  const voided = saveInvoice(account, {
    ...invoice,
    nextPaymentAttempt: null,
    status: 'void',
    voidedAt: account.clock.nowSeconds(),
  });
  tell(account, voided, 'invoice.voided');
  return voided;
}

export function markUncollectible(account: Account, invoice: Invoice): Invoice {
  const marked = saveInvoice(account, {
    ...invoice,
    nextPaymentAttempt: null,
    status: 'uncollectible',
    uncollectibleAt: account.clock.nowSeconds(),
  });
  tell(account, marked, 'invoice.marked_uncollectible');
  return marked;
}

/** The payment method that an invoice is charged to, if no other is named. */
export function defaultMethodOf(
  account: Account,
  invoice: Pick<Invoice, 'customer' | 'defaultPaymentMethod' | 'subscription'>,
): string | null {
  const { customer, defaultPaymentMethod, subscription } = invoice;
  const ofSubscription = account.subscriptions.get(subscription?.id ?? '')?.defaultPaymentMethod;
  const ofCustomer = account.customers.get(customer)?.invoice_settings.default_payment_method;
  return defaultPaymentMethod ?? ofSubscription ?? ofCustomer ?? null;
}

function markPaid(account: Account, invoice: Invoice, amountPaid: number): Invoice {
  const paid = saveInvoice(account, {
    ...invoice,
    amountPaid,
    attemptCount: invoice.attemptCount + (amountPaid > 0 ? 1 : 0),
    nextPaymentAttempt: null,
    paidAt: account.clock.nowSeconds(),
    status: 'paid',
  });
  tell(account, paid, 'invoice.paid');
  tell(account, paid, 'invoice.payment_succeeded');
  for (const payment of paymentsOf(account, paid)) {
    if (payment.status === 'paid') account.events.happened('invoice_payment.paid', payment);
  }
  moveSubscription(account, paid, ['incomplete', 'past_due', 'unpaid'], 'active');
  return paid;
}

function markFailed(account: Account, invoice: Invoice): Invoice {
  const retries = invoice.autoAdvance && invoice.collectionMethod === 'charge_automatically';
  const failed = saveInvoice(account, {
    ...invoice,
    attemptCount: invoice.attemptCount + 1,
    nextPaymentAttempt: retries ? account.clock.nowSeconds() + retryAfterSeconds : null,
  });
  tell(account, failed, 'invoice.payment_failed');
  moveSubscription(account, failed, ['active'], 'past_due');
  return failed;
}

/** The invoice that a checkout in payment mode makes as its receipt: paid, and by no payment of its own. */
export function addReceipt(account: Account, wanted: NewInvoice): Invoice {
  const draft = addInvoice(account, wanted);
  const now = account.clock.nowSeconds();
  const number = nextNumber(account, draft.customer);
  const open = saveInvoice(account, { ...draft, finalizedAt: now, number, status: 'open' });
  tell(account, open, 'invoice.finalized');
  return markPaid(account, open, totalOf(open));
}

function moveSubscription(
  account: Account,
  invoice: Invoice,
  from: readonly string[],
  to: 'active' | 'past_due',
): void {
  const subscription = account.subscriptions.get(invoice.subscription?.id ?? '');
  if (subscription === undefined || !from.includes(subscription.status)) return;
  saveSubscription(account, { ...subscription, status: to });
}

function cancelIntentOf(account: Account, invoice: Invoice): void {
  const intent = account.paymentIntents.get(invoice.paymentIntent ?? '');
  if (intent === undefined || intent.status === 'succeeded') return;
  const canceled: PaymentIntent = {
    ...intent,
    canceledAt: account.clock.nowSeconds(),
    cancellationReason: 'void_invoice',
    status: 'canceled',
  };
  savePaymentIntent(account, canceled, 'payment_intent.canceled');
}

function nextNumber(account: Account, customerId: string): string {
  const customer = account.customers.get(customerId);
  if (customer === undefined) return `DOUBLE-${account.invoices.size}`;
  const { invoice_prefix: prefix, next_invoice_sequence: sequence } = customer;
  account.customers.put(customerId, { ...customer, next_invoice_sequence: sequence + 1 });
  return `${prefix}-${String(sequence).padStart(4, '0')}`;
}

function tell(account: Account, invoice: Invoice, type: `invoice.${string}`): void {
  account.events.happened(type, renderInvoice(account, invoice));
}
