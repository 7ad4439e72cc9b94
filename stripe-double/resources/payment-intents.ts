import type Stripe from 'stripe';
import { z } from 'zod';
import { newId } from '../core/ids.ts';
import type { Account } from './account.ts';
import { renderPaymentMethod } from './payment-methods.ts';

const errorSchema = z.object({
  code: z.string(),
  declineCode: z.string(),
  message: z.string(),
  charge: z.string().nullable(),
  paymentMethod: z.string(),
});

/** A payment intent as it is kept; all that never varies is added when it is shown. */
export const paymentIntentSchema = z.object({
  id: z.string(),
  amount: z.int(),
  amountReceived: z.int(),
  canceledAt: z.int().nullable(),
  cancellationReason: z.string().nullable(),
  clientSecret: z.string(),
  created: z.int(),
  currency: z.string(),
  customer: z.string().nullable(),
  description: z.string().nullable(),
  lastPaymentError: errorSchema.nullable(),
  latestCharge: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  needsAction: z.boolean(),
  paymentMethod: z.string().nullable(),
  receiptEmail: z.string().nullable(),
  setupFutureUsage: z.enum(['off_session', 'on_session']).nullable(),
  statementDescriptorSuffix: z.string().nullable(),
  status: z.enum([
    'requires_payment_method',
    'requires_confirmation',
    'requires_action',
    'processing',
    'canceled',
    'succeeded',
  ]),
  /** The double's own: the invoice that it pays; Stripe tells it by `invoice_payments`. */
  invoice: z.string().nullable(),
});
export type PaymentIntent = z.infer<typeof paymentIntentSchema>;

export type NewPaymentIntent = Pick<PaymentIntent, 'amount' | 'currency' | 'customer'> &
  Partial<PaymentIntent>;

/** Makes a payment intent and says so. */
export function addPaymentIntent(account: Account, wanted: NewPaymentIntent): PaymentIntent {
  const id = newId('pi', 24);
  const intent = account.paymentIntents.put(id, {
    amountReceived: 0,
    canceledAt: null,
    cancellationReason: null,
    clientSecret: `${id}_secret_${newId('x', 24).slice(2)}`,
    created: account.clock.nowSeconds(),
    description: null,
    lastPaymentError: null,
    latestCharge: null,
    metadata: {},
    needsAction: false,
    paymentMethod: null,
    receiptEmail: null,
    setupFutureUsage: null,
    statementDescriptorSuffix: null,
    status: 'requires_payment_method',
    invoice: null,
    ...wanted,
    id,
  });
  account.events.happened('payment_intent.created', renderPaymentIntent(account, intent));
  return intent;
}

/** Keeps a changed payment intent; `type` is the event that its change is, if it is one. */
export function savePaymentIntent(
  account: Account,
  intent: PaymentIntent,
  type?: `payment_intent.${string}`,
): PaymentIntent {
  account.paymentIntents.put(intent.id, intent);
  if (type !== undefined) account.events.happened(type, renderPaymentIntent(account, intent));
  return intent;
}

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
