import type { Account } from '../account/account.ts';
import type { StripeError } from '../core/errors.ts';
import { refused } from '../core/errors.ts';

/** Checks that a default payment method belongs to the customer. */
export function checkAttached(account: Account, id: string, customer: string): void {
  if (account.paymentMethods.get(id)?.customer !== customer) throw notOwn(id);
}

/** The refusal of a payment method that is not the customer's. */
export function notOwn(id: string): StripeError {
  const message = `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`;
  return refused(message, { code: 'resource_missing', param: 'payment_method' });
}
