import type Stripe from 'stripe';
import type { Account } from '../account/account.ts';
import { renderPaymentMethod } from '../payment-methods/view.ts';
import type { PaymentIntent } from './schema.ts';

export function renderPaymentIntent(account: Account, intent: PaymentIntent): Stripe.PaymentIntent {
  return {
    id: intent.id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: intent.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: intent.amountReceived,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: { allow_redirects: 'always', enabled: true },
    canceled_at: intent.canceledAt,
    cancellation_reason: intent.cancellationReason,
    capture_method: 'automatic_async',
    client_secret: intent.clientSecret,
    confirmation_method: 'automatic',
    created: intent.created,
    currency: intent.currency,
    customer: intent.customer,
    customer_account: null,
    description: intent.description,
    excluded_payment_method_types: null,
    last_payment_error: renderError(account, intent),
    latest_charge: intent.latestCharge,
    livemode: false,
    managed_payments: null,
    metadata: intent.metadata,
    next_action: nextActionOf(account, intent),
    on_behalf_of: null,
    payment_method: intent.paymentMethod,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: ['card'],
    payment_record: null,
    processing: null,
    receipt_email: intent.receiptEmail,
    review: null,
    setup_future_usage: intent.setupFutureUsage,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: intent.statementDescriptorSuffix,
    status: intent.status,
    transfer_data: null,
    transfer_group: null,
  };
}

function renderError(
  account: Account,
  { lastPaymentError: error }: PaymentIntent,
): Stripe.PaymentIntent.LastPaymentError | null {
  if (error === null) return null;
  const method = account.paymentMethods.get(error.paymentMethod);
  return {
    ...(error.charge === null ? {} : { charge: error.charge }),
    code: error.code,
    decline_code: error.declineCode,
    doc_url: `https://stripe.com/docs/error-codes/${error.code.replaceAll('_', '-')}`,
    message: error.message,
    ...(method === undefined ? {} : { payment_method: renderPaymentMethod(method) }),
    type: 'card_error',
  };
}

/** The customer would be sent to the bank; here another card is the only way on. */
function nextActionOf(
  account: Account,
  { needsAction, status }: PaymentIntent,
): Stripe.PaymentIntent.NextAction | null {
  if (!needsAction || status !== 'requires_action') return null;
  const redirect = { return_url: null, url: `${account.origin()}/` };
  return { type: 'redirect_to_url', redirect_to_url: redirect };
}
