/** `/v1/billing`: a customer pays, changes and sees its account; checkout and portal are pages of Stripe’s. */
import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { openPortal, showAccount } from '../../operations/billing.ts';
import type { BillingDependencies } from '../../operations/billing.ts';
import { openCheckout } from '../../operations/checkout.ts';
import * as shapes from '../billing-shapes.ts';
import { customerOf } from '../middleware/actor.ts';
import type { ActorEnv, Door } from '../middleware/actor.ts';
import { jsonBody } from '../middleware/json-body.ts';
import { failures, jsonAnswer } from '../openapi.ts';
import { tellAccount } from '../tell-account.ts';
import { badBody, forCustomers, guarded } from './guarded.ts';

const mostBodyBytes = 16 * 1024;
const path = '/v1/billing';
const common = { ...forCustomers, tags: ['Billing'] };
const billingFailures = {
  ...guarded,
  billing_disabled: 'this server has no Stripe key',
  not_found: 'Stripe does not know the customer',
};

const checkoutRoute = createRoute({
  ...common,
  method: 'post',
  path: `${path}/checkout`,
  operationId: 'openCheckout',
  summary: 'A page to subscribe on; what is used is billed by it from then on',
  description:
    'A customer has one open checkout: asked again, it is the same one, unless other addresses to come back to are named.',
  request: { body: { content: { 'application/json': { schema: shapes.checkoutBody } } } },
  responses: {
    200: jsonAnswer('send the customer there', shapes.pageShape),
    ...failures({
      ...billingFailures,
      ...badBody,
      conflict: 'the customer is subscribed: it changes that in the portal',
    }),
  },
});

const portalRoute = createRoute({
  ...common,
  method: 'post',
  path: `${path}/portal`,
  operationId: 'openPortal',
  summary: 'A page to change cards and cancel on, and to see invoices',
  description: 'It is for now: one that is not opened within minutes ends.',
  request: { body: { content: { 'application/json': { schema: shapes.portalBody } } } },
  responses: {
    200: jsonAnswer('send the customer there', shapes.pageShape),
    ...failures({ ...billingFailures, ...badBody }),
  },
});

const accountRoute = createRoute({
  ...common,
  method: 'get',
  path: `${path}/account`,
  operationId: 'showAccount',
  summary: 'Whether it is paid, by what subscription, and the last payments',
  description: 'As Stripe told it by webhooks, within a second as a rule.',
  responses: {
    200: jsonAnswer('the account', shapes.accountShape),
    ...failures({ ...billingFailures, conflict: 'its row was written wrongly by somebody' }),
  },
});

export function billingRoutes(deps: BillingDependencies, door: Door): OpenAPIHono<ActorEnv> {
  const routes = new OpenAPIHono<ActorEnv>();
  routes.use(`${path}/*`, door.customers, jsonBody(mostBodyBytes));

  routes.openapi(checkoutRoute, async (ctx) =>
    ctx.json(await openCheckout(deps, customerOf(ctx), ctx.req.valid('json')), 200),
  );
  routes.openapi(portalRoute, async (ctx) => {
    const { returnUrl } = ctx.req.valid('json');
    const requestId = String(ctx.get('requestId' as never));
    return ctx.json(await openPortal(deps, customerOf(ctx), { requestId, returnUrl }), 200);
  });
  routes.openapi(accountRoute, async (ctx) =>
    ctx.json(tellAccount(await showAccount(deps, customerOf(ctx))), 200),
  );
  return routes;
}
