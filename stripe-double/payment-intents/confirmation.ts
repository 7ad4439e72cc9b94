import type { Account } from '../account/account.ts';
import { addCharge } from '../charges/attempts.ts';
import type { Decline } from '../payment-methods/cards.ts';
import { cardOf } from '../payment-methods/cards.ts';
import type { PaymentMethod } from '../payment-methods/schema.ts';
import { savePaymentIntent } from './payment-intents.ts';
import type { PaymentIntent } from './schema.ts';

export type Confirmed = { intent: PaymentIntent; decline: Decline | null };

const authentication: Decline = {
  code: 'authentication_required',
  declineCode: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
};

/**
 * Tries to take the money of a payment intent by a test card. A refusal is kept in the intent, and
 * told to the caller, who decides what it is answered as.
 */
export function confirmIntent(
  account: Account,
  intent: PaymentIntent,
  method: PaymentMethod,
  offSession: boolean,
): Confirmed {
  const card = cardOf(method.token);
  if (card.needsAction === true && !offSession) {
    const waiting: PaymentIntent = {
      ...intent,
      lastPaymentError: null,
      needsAction: true,
      paymentMethod: method.id,
      status: 'requires_action',
    };
    savePaymentIntent(account, waiting, 'payment_intent.requires_action');
    return { intent: waiting, decline: null };
  }
  const decline = card.needsAction === true ? authentication : (card.decline ?? null);
  return decline === null
    ? { intent: succeed(account, intent, method), decline: null }
    : { intent: fail(account, intent, method, decline), decline };
}

function succeed(account: Account, intent: PaymentIntent, method: PaymentMethod): PaymentIntent {
  const charge = addCharge(account, intent, method, null);
  const paid: PaymentIntent = {
    ...intent,
    amountReceived: intent.amount,
    lastPaymentError: null,
    latestCharge: charge.id,
    needsAction: false,
    paymentMethod: method.id,
    status: 'succeeded',
  };
  return savePaymentIntent(account, paid, 'payment_intent.succeeded');
}

function fail(
  account: Account,
  intent: PaymentIntent,
  method: PaymentMethod,
  decline: Decline,
): PaymentIntent {
  const charge = addCharge(account, intent, method, decline);
  const failed: PaymentIntent = {
    ...intent,
    lastPaymentError: { ...decline, charge: charge.id, paymentMethod: method.id },
    latestCharge: charge.id,
    needsAction: false,
    paymentMethod: null,
    status: 'requires_payment_method',
  };
  return savePaymentIntent(account, failed, 'payment_intent.payment_failed');
}
