/** What is asked of a customer that is added by hand. Pure. */
import { BillingError } from './errors.ts';
import { parseCustomerId, printable } from './ids.ts';

/** A customer as a person names it; it is known by its Stripe customer id. */
export interface NewCustomer {
  customerId: string;
  name?: string;
  email?: string;
}

export const longestCustomerText = 200;

/** Throws BillingError `invalid_request`. */
export function parseNewCustomer(
  id: string,
  { name, email }: { name?: string | undefined; email?: string | undefined },
): NewCustomer {
  const customerId = parseCustomerId(id);
  for (const value of [name, email]) {
    if (value === undefined) continue;
    if (value.trim() === '' || value.length > longestCustomerText || /\p{Cc}/u.test(value)) {
      throw new BillingError(
        'invalid_request',
        `"${printable(value)}" must be 1 to ${longestCustomerText} characters without control characters`,
      );
    }
  }
  if (email !== undefined && !/^[^\s@]+@[^\s@]+$/.test(email)) {
    throw new BillingError('invalid_request', `"${printable(email)}" is not an e-mail address`);
  }
  return {
    customerId,
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
  };
}
