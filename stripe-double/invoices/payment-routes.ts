import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { newestFirst, pageParams, toPage } from '../core/list.ts';
import { expand, parseParams, text } from '../core/params.ts';
import type { Route } from '../core/router.ts';
import { paymentsOf } from './payment-view.ts';

const listParams = z.strictObject({
  ...pageParams,
  expand,
  invoice: text.optional(),
  payment: z.strictObject({ payment_intent: text, type: z.literal('payment_intent') }).optional(),
  status: z.enum(['canceled', 'open', 'paid']).optional(),
});

/** Invoice payments (https://docs.stripe.com/api/invoice-payment): from an intent to its invoice. */
export function invoicePaymentRoutes(account: Account): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/invoice_payments',
      handle: ({ params, path }) => {
        const { invoice, payment, status, ...page } = parseParams(listParams, params);
        const rows = newestFirst(account.invoices.values())
          .flatMap((row) => paymentsOf(account, row))
          .filter(
            (row) =>
              (invoice === undefined || row.invoice === invoice) &&
              (payment === undefined || row.payment.payment_intent === payment.payment_intent) &&
              (status === undefined || row.status === status),
          );
        return toPage(rows, page, path);
      },
    },
  ];
}
