import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { pageParams, toPage } from '../core/list.ts';
import { expand, parseParams, refuseParams } from '../core/params.ts';
import { existing, readList, readOne } from '../core/reading.ts';
import type { Route } from '../core/router.ts';
import { isWithin } from '../core/time-range.ts';
import { expireCheckout } from './completion.ts';
import { createSession } from './creation.ts';
import { listParams } from './params.ts';
import type { CheckoutSession } from './schema.ts';
import { lineItemsOf, renderSession } from './view.ts';

/** Checkout sessions (https://docs.stripe.com/api/checkout/sessions), on the double's own page. */
export function checkoutRoutes(account: Account): Route[] {
  const path = '/v1/checkout/sessions';
  const one = `${path}/:id`;
  return [
    { method: 'POST', path, handle: (call) => createSession(account, call) },
    readList(path, account.checkoutSessions, {
      params: listParams,
      isListed: (row, wanted) =>
        isWithin(row.created, wanted.created) &&
        (wanted.customer === undefined || row.customer === wanted.customer) &&
        (wanted.payment_intent === undefined || row.paymentIntent === wanted.payment_intent) &&
        (wanted.status === undefined || row.status === wanted.status) &&
        (wanted.subscription === undefined || row.subscription === wanted.subscription),
      show: (row) => renderSession(account, row),
    }),
    readOne(path, (id) => renderSession(account, findSession(account, id))),
    {
      method: 'GET',
      path: `${one}/line_items`,
      handle: ({ params, path: url, pathIds }) => {
        const page = parseParams(z.strictObject({ ...pageParams, expand }), params);
        return toPage(lineItemsOf(account, findSession(account, pathIds['id'])), page, url);
      },
    },
    {
      method: 'POST',
      path: `${one}/expire`,
      handle: ({ params, pathIds }) => {
        refuseParams(params);
        const session = findSession(account, pathIds['id']);
        return renderSession(account, expireCheckout(account, session));
      },
    },
  ];
}

export function findSession(account: Account, id: string | undefined): CheckoutSession {
  return existing(account.checkoutSessions, 'checkout.session', id, 'session');
}
