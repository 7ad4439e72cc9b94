import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { refused } from '../core/errors.ts';
import { expand, integer, parseParams, text } from '../core/params.ts';
import { newId } from '../core/ids.ts';
import { existing, readOne } from '../core/reading.ts';
import type { ApiCall, Route } from '../core/router.ts';
import { creditInvoice } from '../invoices/payment.ts';
import type { CreditNote } from './schema.ts';

const createParams = z.strictObject({
  amount: integer,
  expand,
  invoice: text,
  memo: text.optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'order_change', 'product_unsatisfactory']).optional(),
});

/** Credit notes (https://docs.stripe.com/api/credit_notes) over open invoices: they lower what is owed. */
export function creditNoteRoutes(account: Account): Route[] {
  const path = '/v1/credit_notes';
  return [
    { method: 'POST', path, handle: (call) => create(account, call) },
    readOne(path, (id) => render(existing(account.creditNotes, 'credit_note', id))),
  ];
}

function create(account: Account, { params }: ApiCall): object {
  const given = parseParams(createParams, params);
  const invoice = existing(account.invoices, 'invoice', given.invoice);
  if (invoice.status !== 'open') throw refused('Only open invoices are credited here.');
  const id = newId('cn', 24);
  const note = account.creditNotes.put(id, {
    id,
    amount: given.amount,
    created: account.clock.nowSeconds(),
    currency: invoice.currency,
    customer: invoice.customer,
    invoice: invoice.id,
    memo: given.memo ?? null,
  });
  creditInvoice(account, invoice, given.amount);
  account.events.happened('credit_note.created', render(note));
  return render(note);
}

/** The part of a credit note that somebody reads. */
function render(note: CreditNote): object {
  return {
    ...note,
    object: 'credit_note',
    livemode: false,
    number: note.id.toUpperCase(),
    pre_payment_amount: note.amount,
    post_payment_amount: 0,
    status: 'issued',
    total: note.amount,
    type: 'pre_payment',
  };
}
