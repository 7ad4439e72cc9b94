import type Stripe from 'stripe';
import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { newId } from '../core/ids.ts';
import { expand, parseParams, text } from '../core/params.ts';
import type { ApiCall, Route } from '../core/router.ts';
import { checkCustomer } from '../customers/customers.ts';

const createParams = z.strictObject({
  configuration: text.optional(),
  customer: text,
  expand,
  locale: text.optional(),
  return_url: text.optional(),
});

/** Customer portal sessions (https://docs.stripe.com/api/customer_portal/sessions). */
export function portalSessionRoutes(account: Account): Route[] {
  const path = '/v1/billing_portal/sessions';
  return [{ method: 'POST', path, handle: (call) => create(account, call) }];
}

function create(account: Account, { params }: ApiCall): Stripe.BillingPortal.Session {
  const given = parseParams(createParams, params);
  const { customer, return_url: returnUrl = null } = given;
  checkCustomer(account, customer);
  const id = newId('bps', 24);
  const created = account.clock.nowSeconds();
  account.portalSessions.put(id, { id, created, customer, returnUrl });
  return {
    id,
    object: 'billing_portal.session',
    configuration: given.configuration ?? 'bpc_1Double',
    created,
    customer,
    customer_account: null,
    flow: null,
    livemode: false,
    locale: null,
    on_behalf_of: null,
    return_url: returnUrl,
    url: `${account.origin()}/portal/${id}`,
  };
}
