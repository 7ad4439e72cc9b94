import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { parseDecimal } from '../core/decimal.ts';
import { invalidParameter, noSuch, refused } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { pageParams } from '../core/list.ts';
import {
  boolean,
  expand,
  integer,
  mergeMetadata,
  metadata,
  parseParams,
  text,
} from '../core/params.ts';
import { existing, readList, readOne } from '../core/reading.ts';
import type { ApiCall, Route } from '../core/router.ts';
import { checkCustomer } from '../customers/customers.ts';
import { saveInvoice } from '../invoices/invoices.ts';
import type { Invoice } from '../invoices/schema.ts';
import { amountOf, toUnits } from '../prices/amounts.ts';
import { toLine } from './lines.ts';
import type { InvoiceItem } from './schema.ts';
import { renderInvoiceItem } from './view.ts';

const createParams = z.strictObject({
  amount: integer.optional(),
  currency: z
    .string()
    .regex(/^[a-zA-Z]{3}$/)
    .optional(),
  customer: text,
  description: text.optional(),
  discountable: boolean.optional(),
  expand,
  invoice: text.optional(),
  metadata: metadata.optional(),
  period: z.strictObject({ start: integer, end: integer }).optional(),
  pricing: z.strictObject({ price: text }).optional(),
  quantity: integer.optional(),
  subscription: text.optional(),
  unit_amount_decimal: text.optional(),
});

type Given = z.infer<typeof createParams>;

const listParams = z.strictObject({
  ...pageParams,
  customer: text.optional(),
  expand,
  invoice: text.optional(),
  pending: boolean.optional(),
});

/** Invoice items (https://docs.stripe.com/api/invoiceitems): on a draft, or for the next invoice. */
export function invoiceItemRoutes(account: Account): Route[] {
  const path = '/v1/invoiceitems';
  return [
    { method: 'POST', path, handle: (call) => create(account, call) },
    readList(path, account.invoiceItems, {
      params: listParams,
      isListed: (row, { customer, invoice, pending }) =>
        (customer === undefined || row.customer === customer) &&
        (invoice === undefined || row.invoice === invoice) &&
        (pending === undefined || (row.invoice === null) === pending),
      show: (row) => renderInvoiceItem(account, row),
    }),
    readOne(path, (id) =>
      renderInvoiceItem(account, existing(account.invoiceItems, 'invoiceitem', id)),
    ),
  ];
}

function create(account: Account, { params }: ApiCall): object {
  const given = parseParams(createParams, params);
  checkCustomer(account, given.customer);
  const invoice = draftOf(account, given);
  const now = account.clock.nowSeconds();
  const id = newId('ii', 24);
  const item: InvoiceItem = {
    id,
    ...pricedOf(account, given),
    customer: given.customer,
    date: now,
    description: given.description ?? null,
    invoice: invoice?.id ?? null,
    metadata: mergeMetadata({}, given.metadata),
    period: given.period ?? { start: now, end: now },
    subscription: given.subscription ?? null,
  };
  if (invoice !== undefined && invoice.currency !== item.currency) {
    throw invalidParameter('currency', `The invoice's currency is ${invoice.currency}.`);
  }
  account.invoiceItems.put(id, item);
  account.events.happened('invoiceitem.created', renderInvoiceItem(account, item));
  if (invoice !== undefined) {
    saveInvoice(account, { ...invoice, lines: [...invoice.lines, toLine(item)] });
  }
  return renderInvoiceItem(account, item);
}

function draftOf(account: Account, { customer, invoice: id }: Given): Invoice | undefined {
  if (id === undefined) return undefined;
  const invoice = account.invoices.get(id);
  if (invoice === undefined) throw noSuch('invoice', id, 'invoice', 400);
  if (invoice.customer !== customer) throw refused('The invoice belongs to another customer.');
  if (invoice.status !== 'draft') {
    throw refused('This invoice is no longer editable', { code: 'invoice_not_editable' });
  }
  return invoice;
}

function pricedOf(account: Account, given: Given) {
  const quantity = given.quantity ?? 1;
  if (given.pricing !== undefined) {
    const price = account.prices.get(given.pricing.price);
    if (price === undefined) {
      throw noSuch('price', given.pricing.price, 'pricing[price]', 400);
    }
    if (price.type !== 'one_time') {
      throw invalidParameter('pricing[price]', 'The price must be a one-time price.');
    }
    const amount = amountOf(price, toUnits(quantity));
    const { currency, unit_amount_decimal: unitAmount } = price;
    return { amount, currency, price: price.id, quantity, unitAmount };
  }
  if (given.currency === undefined) {
    throw invalidParameter('currency', 'Missing required param: currency.', 'parameter_missing');
  }
  const currency = given.currency.toLowerCase();
  const unitAmount = given.unit_amount_decimal ?? (given.amount ?? 0).toString();
  if (parseDecimal(unitAmount) === undefined) {
    throw invalidParameter('unit_amount_decimal', `Invalid decimal: ${unitAmount}`);
  }
  const unit = { unit_amount_decimal: unitAmount, transform_quantity: null };
  const amount = given.amount ?? amountOf(unit, toUnits(quantity));
  return { amount, currency, price: null, quantity, unitAmount };
}
