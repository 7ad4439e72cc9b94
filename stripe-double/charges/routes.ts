import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { pageParams } from '../core/list.ts';
import { expand, text } from '../core/params.ts';
import { existing, readList, readOne } from '../core/reading.ts';
import type { Route } from '../core/router.ts';
import { renderCharge } from './view.ts';

const listParams = z.strictObject({
  ...pageParams,
  customer: text.optional(),
  expand,
  payment_intent: text.optional(),
});

/** Charges (https://docs.stripe.com/api/charges), as far as payment intents make them. */
export function chargeRoutes(account: Account): Route[] {
  const { charges } = account;
  return [
    readList('/v1/charges', charges, {
      params: listParams,
      isListed: (row, { customer, payment_intent: intent }) =>
        (customer === undefined || row.customer === customer) &&
        (intent === undefined || row.paymentIntent === intent),
      show: (row) => renderCharge(account, row),
    }),
    readOne('/v1/charges', (id) => renderCharge(account, existing(charges, 'charge', id))),
  ];
}
