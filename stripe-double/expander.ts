import type { Account } from './account/account.ts';
import { renderCharge } from './charges/view.ts';
import { lineItemsOf, renderSession } from './checkout/view.ts';
import type { Expander } from './core/expand.ts';
import { paymentsOf } from './invoices/payment-view.ts';
import { renderInvoice } from './invoices/view.ts';
import { renderPaymentIntent } from './payment-intents/view.ts';
import { renderPaymentMethod } from './payment-methods/view.ts';
import { renderSubscription } from './subscriptions/view.ts';

/** What can be expanded: ids of what the double keeps, and what is shown only when asked for. */
export function createExpander(account: Account): Expander {
  const finders: Record<string, (id: string) => object | undefined> = {
    ch: (id) => ifFound(account.charges.get(id), (row) => renderCharge(account, row)),
    cs: (id) => ifFound(account.checkoutSessions.get(id), (row) => renderSession(account, row)),
    cus: (id) => account.customers.get(id),
    in: (id) => ifFound(account.invoices.get(id), (row) => renderInvoice(account, row)),
    pi: (id) => ifFound(account.paymentIntents.get(id), (row) => renderPaymentIntent(account, row)),
    pm: (id) => ifFound(account.paymentMethods.get(id), renderPaymentMethod),
    price: (id) => account.prices.get(id),
    prod: (id) => account.products.get(id),
    sub: (id) => ifFound(account.subscriptions.get(id), (row) => renderSubscription(account, row)),
  };
  return {
    find: (id) => finders[id.split('_', 1)[0] ?? '']?.(id),
    include: (body, name) => include(account, body, name),
  };
}

function include(
  account: Account,
  { id, object }: Record<string, unknown>,
  name: string,
): object | undefined {
  if (object === 'invoice' && name === 'payments') {
    return ifFound(account.invoices.get(String(id)), (invoice) => ({
      object: 'list',
      data: paymentsOf(account, invoice),
      has_more: false,
      url: '/v1/invoice_payments',
    }));
  }
  if (object === 'checkout.session' && name === 'line_items') {
    return ifFound(account.checkoutSessions.get(String(id)), (session) => ({
      object: 'list',
      data: lineItemsOf(account, session),
      has_more: false,
      url: `/v1/checkout/sessions/${session.id}/line_items`,
    }));
  }
  return undefined;
}

function ifFound<Row>(row: Row | undefined, show: (row: Row) => object): object | undefined {
  return row === undefined ? undefined : show(row);
}
