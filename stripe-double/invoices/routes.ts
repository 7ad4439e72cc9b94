import { z } from 'zod';
import type { Account } from '../account/account.ts';
import type { StripeError } from '../core/errors.ts';
import { invalidParameter, refused } from '../core/errors.ts';
import { pageParams, toPage } from '../core/list.ts';
import { expand, mergeMetadata, parseParams, refuseParams } from '../core/params.ts';
import { existing, readList, readOne } from '../core/reading.ts';
import type { ApiCall, Route } from '../core/router.ts';
import { isWithin } from '../core/time-range.ts';
import { checkCustomer } from '../customers/customers.ts';
import { takePendingItems } from '../invoice-items/lines.ts';
import { renderPaymentIntent } from '../payment-intents/view.ts';
import { cardError } from '../payment-methods/cards.ts';
import { addInvoice, saveInvoice } from './invoices.ts';
import { allLinesOf } from './line-view.ts';
import { createParams, finalizeParams, listParams, payParams, updateParams } from './params.ts';
import {
  collect,
  defaultMethodOf,
  finalize,
  markUncollectible,
  payOutOfBand,
  voidInvoice,
} from './payment.ts';
import type { Invoice } from './schema.ts';
import { renderInvoice } from './view.ts';

/** Invoices (https://docs.stripe.com/api/invoices): draft, open, paid or void. */
export function invoiceRoutes(account: Account): Route[] {
  const path = '/v1/invoices';
  const one = `${path}/:id`;
  const on = (verb: string, work: (account: Account, call: ApiCall) => Invoice): Route => ({
    method: 'POST',
    path: `${one}/${verb}`,
    handle: (call) => renderInvoice(account, work(account, call)),
  });
  return [
    { method: 'POST', path, handle: (call) => create(account, call) },
    readList(path, account.invoices, {
      params: listParams,
      isListed,
      show: (row) => renderInvoice(account, row),
    }),
    readOne(path, (id) => renderInvoice(account, found(account, id))),
    { method: 'GET', path: `${one}/lines`, handle: (call) => listLines(account, call) },
    { method: 'POST', path: one, handle: (call) => update(account, call) },
    on('finalize', finalizeDraft),
    on('send', send),
    on('pay', pay),
    on('void', (_account, { params, pathIds }) => {
      refuseParams(params);
      return voidInvoice(account, inState(account, pathIds['id'], ['open', 'uncollectible']));
    }),
    on('mark_uncollectible', (_account, { params, pathIds }) => {
      refuseParams(params);
      return markUncollectible(account, inState(account, pathIds['id'], ['open']));
    }),
  ];
}

function create(account: Account, { params }: ApiCall): object {
  const given = parseParams(createParams, params);
  checkCustomer(account, given.customer);
  if (given.collection_method === 'send_invoice' && given.days_until_due === undefined) {
    const message = 'Missing required param: days_until_due.';
    throw invalidParameter('days_until_due', message, 'parameter_missing');
  }
  const draft = addInvoice(account, {
    autoAdvance: given.auto_advance ?? false,
    collectionMethod: given.collection_method ?? 'charge_automatically',
    currency: (
      given.currency ??
      account.customers.get(given.customer)?.currency ??
      'usd'
    ).toLowerCase(),
    customer: given.customer,
    daysUntilDue: given.days_until_due ?? null,
    defaultPaymentMethod: given.default_payment_method ?? null,
    description: given.description ?? null,
    footer: given.footer ?? null,
    metadata: mergeMetadata({}, given.metadata),
  });
  if (given.pending_invoice_items_behavior !== 'include') return renderInvoice(account, draft);
  const lines = takePendingItems(account, draft);
  return renderInvoice(account, saveInvoice(account, { ...draft, lines }));
}

function update(account: Account, { params, pathIds }: ApiCall): object {
  const given = parseParams(updateParams, params);
  const invoice = found(account, pathIds['id']);
  const updated = saveInvoice(account, {
    ...invoice,
    autoAdvance: given.auto_advance ?? invoice.autoAdvance,
    collectionMethod: given.collection_method ?? invoice.collectionMethod,
    daysUntilDue: given.days_until_due ?? invoice.daysUntilDue,
    defaultPaymentMethod: given.default_payment_method ?? invoice.defaultPaymentMethod,
    description: given.description === undefined ? invoice.description : given.description,
    footer: given.footer === undefined ? invoice.footer : given.footer,
    metadata: mergeMetadata(invoice.metadata, given.metadata),
  });
  return renderInvoice(account, updated);
}

function finalizeDraft(account: Account, { params, pathIds }: ApiCall): Invoice {
  const given = parseParams(finalizeParams, params);
  const draft = inState(account, pathIds['id'], ['draft']);
  return finalize(account, { ...draft, autoAdvance: given.auto_advance ?? draft.autoAdvance });
}

/** Sends an invoice by mail, so to say; a draft is finalized first. */
function send(account: Account, { params, pathIds }: ApiCall): Invoice {
  refuseParams(params);
  const invoice = inState(account, pathIds['id'], ['draft', 'open']);
  if (invoice.collectionMethod !== 'send_invoice') {
    throw refused('You can only manually send an invoice if its collection method is send_invoice');
  }
  const open = invoice.status === 'draft' ? finalize(account, invoice) : invoice;
  account.events.happened('invoice.sent', renderInvoice(account, open));
  return open;
}

function pay(account: Account, { params, pathIds }: ApiCall): Invoice {
  const given = parseParams(payParams, params);
  const known = inState(account, pathIds['id'], ['draft', 'open', 'uncollectible']);
  if (given.paid_out_of_band !== true && given.payment_method === undefined) {
    if (defaultMethodOf(account, known) === null && known.lines.length > 0) throw noMethod();
  }
  const invoice = known.status === 'draft' ? finalize(account, known) : known;
  if (invoice.status === 'paid') return invoice;
  if (given.paid_out_of_band === true) return payOutOfBand(account, invoice);
  const { invoice: settled, intent, decline } = collect(account, invoice, given.payment_method);
  if (decline === null) return settled;
  const shown = intent === null ? {} : { payment_intent: renderPaymentIntent(account, intent) };
  throw cardError(decline, { charge: intent?.latestCharge, ...shown });
}

function isListed(row: Invoice, wanted: z.infer<typeof listParams>): boolean {
  return (
    isWithin(row.created, wanted.created) &&
    (wanted.collection_method === undefined || row.collectionMethod === wanted.collection_method) &&
    (wanted.customer === undefined || row.customer === wanted.customer) &&
    (wanted.status === undefined || row.status === wanted.status) &&
    (wanted.subscription === undefined || row.subscription?.id === wanted.subscription)
  );
}

function listLines(account: Account, { params, path, pathIds }: ApiCall): object {
  const page = parseParams(z.strictObject({ ...pageParams, expand }), params);
  return toPage(allLinesOf(account, found(account, pathIds['id'])), page, path);
}

function found(account: Account, id: string | undefined): Invoice {
  return existing(account.invoices, 'invoice', id, 'invoice');
}

function inState(account: Account, id: string | undefined, allowed: readonly string[]): Invoice {
  const invoice = found(account, id);
  if (allowed.includes(invoice.status)) return invoice;
  if (invoice.status === 'paid') {
    throw refused('Invoice is already paid');
  }
  throw refused(`This invoice is ${invoice.status}: that cannot be done with it.`, {
    code: 'invoice_not_editable',
  });
}

function noMethod(): StripeError {
  const message =
    'There is no `default_payment_method` set on this Customer or Invoice. Please set a default payment method.';
  return refused(message, { code: 'resource_missing' });
}
