import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { pageParams } from '../core/list.ts';
import { expand, text } from '../core/params.ts';
import { existing, readList, readOne } from '../core/reading.ts';
import type { Route } from '../core/router.ts';
import { renderDispute } from './view.ts';

const listParams = z.strictObject({
  ...pageParams,
  charge: text.optional(),
  expand,
  payment_intent: text.optional(),
});

/** Disputes (https://docs.stripe.com/api/disputes); banks make them, by `/_double/disputes`. */
export function disputeRoutes(account: Account): Route[] {
  const path = '/v1/disputes';
  return [
    readList(path, account.disputes, {
      params: listParams,
      isListed: (row, { charge, payment_intent: intent }) =>
        (charge === undefined || row.charge === charge) &&
        (intent === undefined || row.paymentIntent === intent),
      show: renderDispute,
    }),
    readOne(path, (id) => renderDispute(existing(account.disputes, 'dispute', id))),
  ];
}
