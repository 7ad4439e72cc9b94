import type { Account } from '../account/account.ts';
import { noSuch } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { cardOf, isCardToken } from './cards.ts';
import { notOwn } from './ownership.ts';
import type { PaymentMethod } from './schema.ts';
import { renderPaymentMethod } from './view.ts';

/** A test card's token becomes a payment method of the customer, as in Stripe's test mode. */
export function attachCard(account: Account, token: string, customer: string | null) {
  cardOf(token);
  const id = newId('pm', 24);
  const created = account.clock.nowSeconds();
  const method = account.paymentMethods.put(id, { id, token, created, customer });
  if (customer !== null) {
    account.events.happened('payment_method.attached', renderPaymentMethod(method));
  }
  return method;
}

/** The payment method of an id or of a test card's token, which makes a new one. */
export function paymentMethodFor(
  account: Account,
  id: string,
  customer: string | null,
): PaymentMethod {
  if (isCardToken(id)) return attachCard(account, id, null);
  const method = account.paymentMethods.get(id);
  if (method === undefined) throw noSuch('PaymentMethod', id, 'payment_method', 400);
  if (method.customer !== null && method.customer !== customer) throw notOwn(id);
  return method;
}
