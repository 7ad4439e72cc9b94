import type Stripe from 'stripe';
import { z } from 'zod';
import { newId } from '../core/ids.ts';
import { pageParams } from '../core/list.ts';
import { expand, text } from '../core/params.ts';
import { existing, readList, readOne } from '../core/reading.ts';
import type { Route } from '../core/router.ts';
import type { Account } from './account.ts';
import type { Decline } from './cards.ts';
import type { PaymentIntent } from './payment-intents.ts';
import type { PaymentMethod } from './payment-methods.ts';
import { renderPaymentMethod } from './payment-methods.ts';

export const chargeSchema = z.object({
  id: z.string(),
  amount: z.int(),
  created: z.int(),
  currency: z.string(),
  customer: z.string().nullable(),
  description: z.string().nullable(),
  failure: z.object({ code: z.string(), declineCode: z.string(), message: z.string() }).nullable(),
  metadata: z.record(z.string(), z.string()),
  paymentIntent: z.string(),
  paymentMethod: z.string(),
});
type Charge = z.infer<typeof chargeSchema>;

const listParams = z.strictObject({
  ...pageParams,
  customer: text.optional(),
  expand,
  payment_intent: text.optional(),
});

/** Charges (https://docs.stripe.com/api/charges), as far as payment intents make them. */
export function chargeRoutes(account: Account): Route[] {
  const { charges } = account;
  return [
    readList('/v1/charges', charges, {
      params: listParams,
      isListed: (row, { customer, payment_intent: intent }) =>
        (customer === undefined || row.customer === customer) &&
        (intent === undefined || row.paymentIntent === intent),
      show: (row) => renderCharge(account, row),
    }),
    readOne('/v1/charges', (id) => renderCharge(account, existing(charges, 'charge', id))),
  ];
}

/** One attempt to take a payment intent's money, and its event. */
export function addCharge(
  account: Account,
  intent: PaymentIntent,
  method: PaymentMethod,
  failure: Decline | null,
): Charge {
  const id = newId('ch', 24);
  const charge = account.charges.put(id, {
    id,
    amount: intent.amount,
    created: account.clock.nowSeconds(),
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    failure,
    metadata: intent.metadata,
    paymentIntent: intent.id,
    paymentMethod: method.id,
  });
  const type = failure === null ? 'charge.succeeded' : 'charge.failed';
  account.events.happened(type, renderCharge(account, charge));
  return charge;
}

export function renderCharge(account: Account, charge: Charge): Stripe.Charge {
  const { failure } = charge;
  const isPaid = failure === null;
  return {
    id: charge.id,
    object: 'charge',
    amount: charge.amount,
    amount_captured: isPaid ? charge.amount : 0,
    amount_refunded: 0,
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
    disputed: false,
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
    refunded: false,
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
