import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { noSuch } from '../core/errors.ts';
import { pageParams } from '../core/list.ts';
import {
  clearableText,
  expand,
  integer,
  mergeMetadata,
  metadata,
  parseParams,
  refuseParams,
  text,
  withoutUndefined,
} from '../core/params.ts';
import { readList, readOne } from '../core/reading.ts';
import type { ApiCall, Route } from '../core/router.ts';
import { checkAttached } from '../payment-methods/ownership.ts';
import { addCustomer, blankCustomer } from './customers.ts';
import type { Customer } from './schema.ts';
import { customerSchema } from './schema.ts';

const writeParams = z.strictObject({
  address: z.unknown().optional(),
  balance: integer.optional(),
  description: clearableText.optional(),
  email: clearableText.optional(),
  expand,
  invoice_settings: z
    .strictObject({
      default_payment_method: clearableText.optional(),
      footer: clearableText.optional(),
    })
    .optional(),
  metadata: metadata.optional(),
  name: clearableText.optional(),
  phone: clearableText.optional(),
  preferred_locales: z.array(text).optional(),
  shipping: z.unknown().optional(),
  tax_exempt: z.enum(['none', 'exempt', 'reverse']).optional(),
});
const listParams = z.strictObject({ ...pageParams, email: text.optional(), expand });

/** Customers (https://docs.stripe.com/api/customers). A deleted one stays retrievable, and says so. */
export function customerRoutes(account: Account): Route[] {
  const { customers } = account;
  return [
    { method: 'POST', path: '/v1/customers', handle: (call) => create(account, call) },
    readList('/v1/customers', customers, {
      params: listParams,
      isListed: (row, { email }) =>
        row.deleted !== true && (email === undefined || row.email === email),
    }),
    readOne('/v1/customers', (id) =>
      customers.get(id)?.deleted === true ? tombstone(id) : found(account, id),
    ),
    { method: 'POST', path: '/v1/customers/:id', handle: (call) => update(account, call) },
    {
      method: 'DELETE',
      path: '/v1/customers/:id',
      handle: ({ params, pathIds }) => {
        refuseParams(params);
        const customer = found(account, pathIds['id']);
        customers.put(customer.id, { ...customer, deleted: true });
        account.events.happened('customer.deleted', customer);
        return tombstone(customer.id);
      },
    },
  ];
}

function create(account: Account, { params }: ApiCall): Customer {
  const { expand: _expand, metadata: given, ...fields } = parseParams(writeParams, params);
  const customer = merge(blankCustomer(account), fields);
  return addCustomer(account, { ...customer, metadata: mergeMetadata({}, given) });
}

function update(account: Account, { params, pathIds }: ApiCall): Customer {
  const { expand: _expand, metadata: given, ...fields } = parseParams(writeParams, params);
  const customer = found(account, pathIds['id']);
  const method = fields.invoice_settings?.default_payment_method ?? null;
  if (method !== null) checkAttached(account, method, customer.id);
  const updated = account.customers.put(customer.id, {
    ...merge(customer, fields),
    metadata: mergeMetadata(customer.metadata, given),
  });
  account.events.changed('customer.updated', customer, updated);
  return updated;
}

function merge(
  customer: Customer,
  fields: Omit<z.infer<typeof writeParams>, 'expand' | 'metadata'>,
): Customer {
  const { invoice_settings: settings = {}, ...rest } = fields;
  return customerSchema.parse({
    ...customer,
    ...withoutUndefined(rest),
    invoice_settings: { ...customer.invoice_settings, ...withoutUndefined(settings) },
  });
}

function found(account: Account, id = ''): Customer {
  const customer = account.customers.get(id);
  if (customer === undefined || customer.deleted === true) throw noSuch('customer', id, 'id', 404);
  return customer;
}

function tombstone(id: string): object {
  return { id, object: 'customer', deleted: true };
}
