import type Stripe from 'stripe';
import type { Account } from '../account/account.ts';
import type { Decline } from '../payment-methods/cards.ts';
import { renderPaymentMethod } from '../payment-methods/view.ts';
import type { Charge } from './schema.ts';

export function renderCharge(account: Account, charge: Charge): Stripe.Charge {
  const { failure } = charge;
  const isPaid = failure === null;
  return {
    id: charge.id,
    object: 'charge',
    amount: charge.amount,
    amount_captured: isPaid ? charge.amount : 0,
    amount_refunded: charge.amountRefunded,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    calculated_statement_descriptor: null,
    captured: isPaid,
    created: charge.created,
    currency: charge.currency,
    customer: charge.customer,
    description: charge.description,
    disputed: charge.disputed,
    failure_balance_transaction: null,
    failure_code: failure?.code ?? null,
    failure_message: failure?.message ?? null,
    fraud_details: {},
    livemode: false,
    metadata: charge.metadata,
    on_behalf_of: null,
    outcome: outcomeOf(failure),
    paid: isPaid,
    payment_intent: charge.paymentIntent,
    payment_method: charge.paymentMethod,
    payment_method_details: detailsOf(account, charge),
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: isPaid && charge.amountRefunded === charge.amount,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: isPaid ? 'succeeded' : 'failed',
    transfer_data: null,
    transfer_group: null,
  };
}

function outcomeOf(failure: Decline | null): Stripe.Charge.Outcome {
  return {
    advice_code: null,
    network_advice_code: null,
    network_decline_code: null,
    network_status: failure === null ? 'approved_by_network' : 'declined_by_network',
    reason: failure?.declineCode ?? null,
    risk_level: 'normal',
    seller_message: failure === null ? 'Payment complete.' : 'The bank declined the payment.',
    type: failure === null ? 'authorized' : 'issuer_declined',
  };
}

function detailsOf(account: Account, charge: Charge): Stripe.Charge.PaymentMethodDetails | null {
  const method = account.paymentMethods.get(charge.paymentMethod);
  const card = method === undefined ? undefined : renderPaymentMethod(method).card;
  if (card === undefined) return null;
  const { brand, last4, exp_month: month, exp_year: year, country, funding } = card;
  const shown = { brand, country, exp_month: month, exp_year: year, funding, last4 };
  // A card's other fields are left out: nothing here reads them.
  return { type: 'card', card: shown as Stripe.Charge.PaymentMethodDetails.Card };
}
