import type { Account } from '../account/account.ts';
import { newId } from '../core/ids.ts';
import type { PaymentIntent } from './schema.ts';
import { renderPaymentIntent } from './view.ts';

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
