import type Stripe from 'stripe';
import { z } from 'zod';
import { noSuch } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { pageParams } from '../core/list.ts';
import { expand, parseParams, text } from '../core/params.ts';
import { existing, readList, readOne } from '../core/reading.ts';
import type { ApiCall, Route } from '../core/router.ts';
import type { Account } from './account.ts';
import { cardError, cardOf, isCardToken } from './cards.ts';
import { checkCustomer } from './customers.ts';
import { notOwn } from './method-ownership.ts';

export const paymentMethodSchema = z.object({
  id: z.string(),
  /** Which of Stripe's test cards it is. */
  token: z.string(),
  created: z.int(),
  customer: z.string().nullable(),
});
export type PaymentMethod = z.infer<typeof paymentMethodSchema>;

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

/** A test card's token becomes a payment method of the customer, as in Stripe's test mode. */
export function attachCard(account: Account, token: string, customer: string | null) {
  cardOf(token);
  const id = newId('pm', 24);
  const created = account.clock.nowSeconds();
  const method = account.paymentMethods.put(id, { id, token, created, customer });
  if (customer !== null) {
    account.events.happened('payment_method.attached', renderPaymentMethod(method));
  }
  return method;
}

/** The payment method of an id or of a test card's token, which makes a new one. */
export function paymentMethodFor(
  account: Account,
  id: string,
  customer: string | null,
): PaymentMethod {
  if (isCardToken(id)) return attachCard(account, id, null);
  const method = account.paymentMethods.get(id);
  if (method === undefined) throw noSuch('PaymentMethod', id, 'payment_method', 400);
  if (method.customer !== null && method.customer !== customer) throw notOwn(id);
  return method;
}

export function renderPaymentMethod({ id, token, created, customer }: PaymentMethod) {
  const card = cardOf(token);
  const shown: Stripe.PaymentMethod = {
    id,
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    card: {
      brand: card.brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country: 'US',
      display_brand: card.brand,
      exp_month: 12,
      exp_year: 2034,
      fingerprint: `double${card.last4}`,
      funding: 'credit',
      generated_from: null,
      last4: card.last4,
      networks: { available: [card.brand], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
    created,
    customer,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: 'card',
  };
  return shown;
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
