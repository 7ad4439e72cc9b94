import type { Account } from '../account/account.ts';
import { noSuch, refused } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Customer } from './schema.ts';

/** Whether events and summaries may name this customer. */
function isLiveCustomer(account: Account, id: string): boolean {
  const customer = account.customers.get(id);
  return customer !== undefined && customer.deleted !== true;
}

/** Refuses a parameter that names no live customer. */
export function checkCustomer(account: Account, id: string, param = 'customer'): void {
  if (!isLiveCustomer(account, id)) throw noSuch('customer', id, param, 400);
}

/** The control API's way in: a customer under a chosen id; the same id again changes nothing. */
export function createChosenCustomer(
  account: Account,
  wanted: Pick<Customer, 'id' | 'name' | 'email' | 'metadata'>,
): Customer {
  const known = account.customers.get(wanted.id);
  if (known?.deleted === true) throw refused(`Customer ${wanted.id} was deleted`);
  return known ?? keepNew(account, { ...blankCustomer(account, wanted.id), ...wanted });
}

/** Makes a customer under a new id, or under the one that `wanted` brings along. */
export function addCustomer(account: Account, wanted: Partial<Customer>): Customer {
  return keepNew(account, { ...blankCustomer(account), ...wanted });
}

function keepNew(account: Account, customer: Customer): Customer {
  account.customers.put(customer.id, customer);
  account.events.happened('customer.created', customer);
  return customer;
}

/** A customer of whom nothing is known yet. */
export function blankCustomer(account: Account, id = newId('cus')): Customer {
  return {
    id,
    object: 'customer',
    address: null,
    balance: 0,
    created: account.clock.nowSeconds(),
    currency: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    invoice_prefix: newId('I', 7).slice(2).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: {},
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
  };
}
