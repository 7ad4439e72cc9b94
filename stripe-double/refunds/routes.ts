import type Stripe from 'stripe';
import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { renderCharge } from '../charges/view.ts';
import { refused } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { expand, integer, parseParams, text } from '../core/params.ts';
import { existing } from '../core/reading.ts';
import type { ApiCall, Route } from '../core/router.ts';

const createParams = z.strictObject({
  amount: integer.optional(),
  expand,
  payment_intent: text,
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
});

/** Refunds (https://docs.stripe.com/api/refunds), made at once; what they come to stands on the charge. */
export function refundRoutes(account: Account): Route[] {
  return [{ method: 'POST', path: '/v1/refunds', handle: (call) => create(account, call) }];
}

function create(account: Account, { params }: ApiCall): Stripe.Refund {
  const given = parseParams(createParams, params);
  const intent = existing(account.paymentIntents, 'payment_intent', given.payment_intent);
  const charge = account.charges.get(intent.latestCharge ?? '');
  if (charge === undefined || intent.status !== 'succeeded') {
    throw refused('This PaymentIntent does not have a successful charge to refund.');
  }
  const left = charge.amount - charge.amountRefunded;
  const amount = given.amount ?? left;
  if (amount <= 0 || amount > left) {
    throw refused('Refund amount is greater than unrefunded amount on charge.');
  }
  const amountRefunded = charge.amountRefunded + amount;
  const refunded = account.charges.put(charge.id, { ...charge, amountRefunded });
  account.events.happened('charge.refunded', renderCharge(account, refunded));
  return {
    id: newId('re', 24),
    object: 'refund',
    amount,
    balance_transaction: null,
    charge: charge.id,
    created: account.clock.nowSeconds(),
    currency: charge.currency,
    customer: charge.customer,
    customer_account: null,
    metadata: {},
    payment_intent: intent.id,
    payment_method: charge.paymentMethod,
    reason: given.reason ?? null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'succeeded',
    transfer_reversal: null,
  };
}
