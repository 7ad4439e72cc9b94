import type { Account } from '../account/account.ts';
import { newId } from '../core/ids.ts';
import type { PaymentIntent } from '../payment-intents/schema.ts';
import type { Decline } from '../payment-methods/cards.ts';
import type { PaymentMethod } from '../payment-methods/schema.ts';
import type { Charge } from './schema.ts';
import { renderCharge } from './view.ts';

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
    amountRefunded: 0,
    created: account.clock.nowSeconds(),
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure,
    metadata: intent.metadata,
    paymentIntent: intent.id,
    paymentMethod: method.id,
  });
  const type = failure === null ? 'charge.succeeded' : 'charge.failed';
  account.events.happened(type, renderCharge(account, charge));
  return charge;
}
