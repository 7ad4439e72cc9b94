import { StripeError } from '../core/errors.ts';

/** How a card refuses, in the words of the API (https://docs.stripe.com/declines/codes). */
export type Decline = { code: string; declineCode: string; message: string };

type Card = {
  last4: string;
  brand: string;
  decline?: Decline;
  /** Whether it refuses already when it is attached to a customer. */
  refusesAttach?: true;
  needsAction?: true;
};

const declined = (declineCode: string, reason: string): Decline => ({
  code: 'card_declined',
  declineCode,
  message: `Your card ${reason}.`,
});
const generic = declined('generic_decline', 'was declined');
const noFunds = declined('insufficient_funds', 'has insufficient funds');

/** Stripe's test cards by their tokens (https://docs.stripe.com/testing). */
const cards = new Map<string, Card>([
  ['pm_card_visa', { last4: '4242', brand: 'visa' }],
  ['pm_card_mastercard', { last4: '4444', brand: 'mastercard' }],
  ['pm_card_amex', { last4: '8431', brand: 'amex' }],
  ['pm_card_jp', { last4: '0003', brand: 'visa' }],
  ['pm_card_chargeCustomerFail', { last4: '0341', brand: 'visa', decline: generic }],
  ['pm_card_chargeDeclined', refusing('0002', generic)],
  ['pm_card_visa_chargeDeclined', refusing('0002', generic)],
  ['pm_card_chargeDeclinedInsufficientFunds', refusing('9995', noFunds)],
  ['pm_card_visa_chargeDeclinedInsufficientFunds', refusing('9995', noFunds)],
  ['pm_card_chargeDeclinedExpiredCard', refusing('0069', expired('expired_card', 'has expired'))],
  ['pm_card_chargeDeclinedProcessingError', refusing('0119', processing())],
  ['pm_card_authenticationRequired', { last4: '3184', brand: 'visa', needsAction: true }],
]);

export function cardOf(token: string): Card {
  const card = cards.get(token);
  if (card !== undefined) return card;
  throw new StripeError(400, `No such PaymentMethod: '${token}'`, {
    code: 'resource_missing',
    param: 'payment_method',
    saved: true,
  });
}

export function isCardToken(token: string): boolean {
  return cards.has(token);
}

/** The 402 of a card that refuses; what it was for may be told along. */
export function cardError(decline: Decline, extra: Record<string, unknown> = {}): StripeError {
  return new StripeError(402, decline.message, {
    type: 'card_error',
    code: decline.code,
    saved: true,
    extra: { decline_code: decline.declineCode, ...extra },
  });
}

function refusing(last4: string, decline: Decline): Card {
  return { last4, brand: 'visa', decline, refusesAttach: true };
}

function expired(code: string, reason: string): Decline {
  return { code, declineCode: code, message: `Your card ${reason}.` };
}

function processing(): Decline {
  const message = 'An error occurred while processing your card. Try again in a little bit.';
  return { code: 'processing_error', declineCode: 'processing_error', message };
}
