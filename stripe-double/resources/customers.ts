import { z } from 'zod';
import { noSuch, refused } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
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
import type { Account } from './account.ts';
import { checkAttached } from './method-ownership.ts';

export const customerSchema = z.object({
  id: z.string(),
  object: z.literal('customer'),
  address: z.unknown(),
  balance: z.number(),
  created: z.number(),
  currency: z.string().nullable(),
  default_source: z.null(),
  deleted: z.literal(true).optional(),
  delinquent: z.boolean(),
  description: z.string().nullable(),
  discount: z.null(),
  email: z.string().nullable(),
  invoice_prefix: z.string(),
  invoice_settings: z.object({
    custom_fields: z.null(),
    default_payment_method: z.string().nullable(),
    footer: z.string().nullable(),
    rendering_options: z.null(),
  }),
  livemode: z.literal(false),
  metadata: z.record(z.string(), z.string()),
  name: z.string().nullable(),
  next_invoice_sequence: z.number(),
  phone: z.string().nullable(),
  preferred_locales: z.array(z.string()),
  shipping: z.unknown(),
  tax_exempt: z.string(),
  test_clock: z.null(),
});
export type Customer = z.infer<typeof customerSchema>;

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
  return known ?? add(account, { ...blank(account, wanted.id), ...wanted });
}

/** A customer whom another resource brings along, such as a checkout session. */
export function addCustomer(account: Account, wanted: Partial<Customer>): Customer {
  return add(account, { ...blank(account, newId('cus')), ...wanted });
}

function create(account: Account, { params }: ApiCall): Customer {
  const { expand: _expand, metadata: given, ...fields } = parseParams(writeParams, params);
  const customer = merge(blank(account, newId('cus')), fields);
  return add(account, { ...customer, metadata: mergeMetadata({}, given) });
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

function add(account: Account, customer: Customer): Customer {
  account.customers.put(customer.id, customer);
  account.events.happened('customer.created', customer);
  return customer;
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

function blank(account: Account, id: string): Customer {
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
