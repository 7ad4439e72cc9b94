import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { pageParams } from '../core/list.ts';
import { expand, parseParams, text } from '../core/params.ts';
import { existing, readList, readOne } from '../core/reading.ts';
import type { ApiCall, Route } from '../core/router.ts';
import { checkCustomer } from '../customers/customers.ts';
import { cardError, cardOf, isCardToken } from './cards.ts';
import { notOwn } from './ownership.ts';
import { attachCard } from './payment-methods.ts';
import { renderPaymentMethod } from './view.ts';

const listParams = z.strictObject({
  ...pageParams,
  customer: text.optional(),
  expand,
  type: z.literal('card').optional(),
});

/** Payment methods (https://docs.stripe.com/api/payment_methods): the test cards, attached. */
export function paymentMethodRoutes(account: Account): Route[] {
  const path = '/v1/payment_methods';
  return [
    readList(path, account.paymentMethods, {
      params: listParams,
      isListed: (row, { customer }) =>
        row.customer !== null && (customer === undefined || row.customer === customer),
      show: renderPaymentMethod,
    }),
    readOne(path, (id) =>
      renderPaymentMethod(existing(account.paymentMethods, 'PaymentMethod', id)),
    ),
    { method: 'POST', path: `${path}/:id/attach`, handle: (call) => attach(account, call) },
  ];
}

function attach(account: Account, { params, pathIds }: ApiCall): object {
  const { customer } = parseParams(z.strictObject({ customer: text, expand }), params);
  checkCustomer(account, customer);
  const id = pathIds['id'] ?? '';
  if (isCardToken(id)) {
    const { decline, refusesAttach } = cardOf(id);
    if (decline !== undefined && refusesAttach === true) throw cardError(decline);
    return renderPaymentMethod(attachCard(account, id, customer));
  }
  const method = existing(account.paymentMethods, 'PaymentMethod', id);
  if (method.customer !== null && method.customer !== customer) throw notOwn(id);
  const attached = account.paymentMethods.put(id, { ...method, customer });
  account.events.happened('payment_method.attached', renderPaymentMethod(attached));
  return renderPaymentMethod(attached);
}
