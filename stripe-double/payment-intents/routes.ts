import type { Account } from '../account/account.ts';
import { StripeError, invalidParameter, refused } from '../core/errors.ts';
import { mergeMetadata, parseParams } from '../core/params.ts';
import { existing, readList, readOne } from '../core/reading.ts';
import type { ApiCall, Route } from '../core/router.ts';
import { isWithin } from '../core/time-range.ts';
import { checkCustomer } from '../customers/customers.ts';
import { settleInvoiceOf } from '../invoices/payment.ts';
import { cardError } from '../payment-methods/cards.ts';
import { paymentMethodFor } from '../payment-methods/payment-methods.ts';
import { confirmIntent } from './confirmation.ts';
import { cancelParams, confirmParams, createParams, listParams, updateParams } from './params.ts';
import { addPaymentIntent, savePaymentIntent } from './payment-intents.ts';
import type { PaymentIntent } from './schema.ts';
import { renderPaymentIntent } from './view.ts';

/** $0.50, ¥50: the least that Stripe charges in most currencies, in minor units. */
const minimumAmount = 50;

/** Payment intents (https://docs.stripe.com/api/payment_intents), by Stripe's test cards. */
export function paymentIntentRoutes(account: Account): Route[] {
  const path = '/v1/payment_intents';
  const one = `${path}/:id`;
  return [
    { method: 'POST', path, handle: (call) => create(account, call) },
    readList(path, account.paymentIntents, {
      params: listParams,
      isListed: (row, { created, customer }) =>
        isWithin(row.created, created) && (customer === undefined || row.customer === customer),
      show: (row) => renderPaymentIntent(account, row),
    }),
    readOne(path, (id) => renderPaymentIntent(account, found(account, id))),
    { method: 'POST', path: one, handle: (call) => update(account, call) },
    { method: 'POST', path: `${one}/confirm`, handle: (call) => confirm(account, call) },
    { method: 'POST', path: `${one}/cancel`, handle: (call) => cancel(account, call) },
  ];
}

function create(account: Account, { params }: ApiCall): object {
  const given = parseParams(createParams, params);
  checkAmount(given.amount);
  const { customer = null, payment_method: methodId } = given;
  if (customer !== null) checkCustomer(account, customer);
  if (given.confirm === true && methodId === undefined) throw noMethod();
  const method = methodId === undefined ? undefined : paymentMethodFor(account, methodId, customer);
  const intent = addPaymentIntent(account, {
    amount: given.amount,
    currency: given.currency.toLowerCase(),
    customer,
    description: given.description ?? null,
    metadata: mergeMetadata({}, given.metadata),
    paymentMethod: method?.id ?? null,
    receiptEmail: given.receipt_email ?? null,
    setupFutureUsage: given.setup_future_usage ?? null,
    statementDescriptorSuffix: given.statement_descriptor_suffix ?? null,
    status: method === undefined ? 'requires_payment_method' : 'requires_confirmation',
  });
  if (given.confirm !== true || method === undefined) return renderPaymentIntent(account, intent);
  return tryConfirm(account, intent, method.id, given.off_session ?? false);
}

function confirm(account: Account, { params, pathIds }: ApiCall): object {
  const given = parseParams(confirmParams, params);
  const intent = found(account, pathIds['id']);
  if (intent.status === 'succeeded' || intent.status === 'canceled') {
    throw unexpectedState(account, intent, 'confirm');
  }
  const methodId = given.payment_method ?? intent.paymentMethod;
  if (methodId === null) throw noMethod();
  return tryConfirm(account, intent, methodId, given.off_session ?? false);
}

/** A refusal is a 402 that carries the intent, as it is after the refusal. */
function tryConfirm(
  account: Account,
  intent: PaymentIntent,
  methodId: string,
  offSession: boolean,
): object {
  const method = paymentMethodFor(account, methodId, intent.customer);
  const confirmed = confirmIntent(account, intent, method, offSession);
  const shown = renderPaymentIntent(account, confirmed.intent);
  settleInvoiceOf(account, confirmed.intent);
  if (confirmed.decline === null) return shown;
  throw cardError(confirmed.decline, {
    charge: confirmed.intent.latestCharge,
    payment_intent: shown,
  });
}

function update(account: Account, { params, pathIds }: ApiCall): object {
  const given = parseParams(updateParams, params);
  const intent = found(account, pathIds['id']);
  const updated = savePaymentIntent(account, {
    ...intent,
    description: given.description ?? intent.description,
    metadata: mergeMetadata(intent.metadata, given.metadata),
    receiptEmail: given.receipt_email ?? intent.receiptEmail,
  });
  return renderPaymentIntent(account, updated);
}

function cancel(account: Account, { params, pathIds }: ApiCall): object {
  const { cancellation_reason: reason } = parseParams(cancelParams, params);
  const intent = found(account, pathIds['id']);
  if (intent.status === 'succeeded' || intent.status === 'canceled') {
    throw unexpectedState(account, intent, 'cancel');
  }
  if (intent.invoice !== null) {
    throw refused('A PaymentIntent of an invoice cannot be canceled: void the invoice.');
  }
  const canceled: PaymentIntent = {
    ...intent,
    canceledAt: account.clock.nowSeconds(),
    cancellationReason: reason ?? null,
    status: 'canceled',
  };
  savePaymentIntent(account, canceled, 'payment_intent.canceled');
  return renderPaymentIntent(account, canceled);
}

function found(account: Account, id: string | undefined): PaymentIntent {
  return existing(account.paymentIntents, 'payment_intent', id, 'intent');
}

function checkAmount(amount: number): void {
  if (amount >= minimumAmount) return;
  const message = `Amount must be at least ${minimumAmount} minor units of the currency.`;
  throw invalidParameter('amount', message, 'amount_too_small');
}

function noMethod(): StripeError {
  const message =
    'You cannot confirm this PaymentIntent because it has no payment method. Supply a payment method and try again.';
  return refused(message, { code: 'payment_intent_unexpected_state', param: 'payment_method' });
}

function unexpectedState(account: Account, intent: PaymentIntent, verb: string): StripeError {
  const message = `You cannot ${verb} this PaymentIntent because it has a status of ${intent.status}.`;
  return new StripeError(400, message, {
    code: 'payment_intent_unexpected_state',
    saved: true,
    extra: { payment_intent: renderPaymentIntent(account, intent) },
  });
}
