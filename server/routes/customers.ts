/** `/v1/customers`: operators add and see who is billed (FM7). */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { billingStatuses } from '../../domain/billing-status.ts';
import { parseCustomerId } from '../../domain/ids.ts';
import { askStripe, readAccount } from '../../operations/billing.ts';
import type { BillingDependencies } from '../../operations/billing.ts';
import { longestCustomerText, parseNewCustomer } from '../../domain/customers.ts';
import { addCustomer } from '../../operations/customers.ts';
import type { CustomerDependencies } from '../../operations/customers.ts';
import type { Customer, Customers } from '../../tables/customers.ts';
import { accountShape } from '../billing-shapes.ts';
import { readCustomerCursor, writeCustomerCursor } from '../cursor.ts';
import type { ActorEnv, Door } from '../middleware/actor.ts';
import { jsonBody } from '../middleware/json-body.ts';
import { failures, jsonAnswer } from '../openapi.ts';
import { tellAccount } from '../tell-account.ts';
import { badBody, forOperators, guarded, isoTime } from './guarded.ts';

export interface CustomerRouteDependencies extends CustomerDependencies {
  customers: Pick<Customers, 'get' | 'add' | 'page'>;
  /** Shows an account, also where billing is off. */
  account: Pick<BillingDependencies, 'customers' | 'subscriptions' | 'payments'>;
}

const mostBodyBytes = 16 * 1024;
const mostOnPage = 100;
const path = '/v1/customers';
const common = { ...forOperators, tags: ['Customers'] };
const { rate_limited: _counted, ...operatorFailures } = guarded;

const customerShape = z
  .strictObject({
    customerId: z.string().openapi({ description: 'as Stripe names it', example: 'cus_123' }),
    name: z.string().optional(),
    email: z.string().optional(),
    plan: z.string(),
    billingStatus: z.enum(billingStatuses),
    createdAt: isoTime,
    deletedAt: isoTime.optional().openapi({ description: 'when Stripe told that it was deleted' }),
  })
  .openapi('Customer');

const text = z.string().min(1).max(longestCustomerText).optional();
const newCustomerBody = z
  .strictObject({ customerId: z.string(), name: text, email: text })
  .openapi('NewCustomer');

const addRoute = createRoute({
  ...common,
  method: 'post',
  path,
  operationId: 'addCustomer',
  summary: 'Adds one that Stripe knows; one that is here already is left alone',
  request: {
    body: { required: true, content: { 'application/json': { schema: newCustomerBody } } },
  },
  responses: {
    201: jsonAnswer('it was added', customerShape),
    200: jsonAnswer('it was here already, as it stands', customerShape),
    ...failures({
      ...operatorFailures,
      ...badBody,
      billing_disabled: 'this server has no ADMIN_TOKEN',
      not_found: 'Stripe does not know it, or has deleted it',
      conflict: 'its row was written wrongly by somebody',
    }),
  },
});

const listRoute = createRoute({
  ...common,
  method: 'get',
  path,
  operationId: 'listCustomers',
  summary: 'All of them, in no order',
  description:
    'With `cursor` in the answer there may be more. A row that cannot be read is named in `problems`.',
  request: {
    query: z.strictObject({
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(mostOnPage)
        .default(50)
        .openapi({ type: 'integer', minimum: 1, maximum: mostOnPage }),
      cursor: z.string().min(1).max(1024).optional(),
    }),
  },
  responses: {
    200: jsonAnswer(
      'a page',
      z
        .strictObject({
          customers: z.array(customerShape),
          problems: z.array(z.string()),
          cursor: z.string().optional(),
        })
        .openapi('Customers'),
    ),
    ...failures({
      ...operatorFailures,
      billing_disabled: 'this server has no ADMIN_TOKEN',
      invalid_request: 'the limit or the cursor is wrong',
    }),
  },
});

const showRoute = createRoute({
  ...common,
  method: 'get',
  path: `${path}/{customerId}`,
  operationId: 'showCustomer',
  summary: 'One, with its account as Stripe told it',
  request: { params: z.strictObject({ customerId: z.string() }) },
  responses: {
    200: jsonAnswer(
      'the customer',
      z.strictObject({ customer: customerShape, account: accountShape }).openapi('ShownCustomer'),
    ),
    ...failures({
      ...operatorFailures,
      billing_disabled: 'this server has no ADMIN_TOKEN',
      invalid_request: 'that is no customer id',
      not_found: 'there is no such customer',
      conflict: 'its row was written wrongly by somebody',
    }),
  },
});

export function customerRoutes(deps: CustomerRouteDependencies, door: Door): OpenAPIHono<ActorEnv> {
  const routes = new OpenAPIHono<ActorEnv>();
  routes.use(path, door.operators, jsonBody(mostBodyBytes));
  routes.use(`${path}/*`, door.operators);

  routes.openapi(addRoute, async (ctx) => {
    const { customerId, ...given } = ctx.req.valid('json');
    const wanted = parseNewCustomer(customerId, given);
    const { added, customer } = await askStripe(
      wanted.customerId,
      async () => await addCustomer(deps, wanted),
    );
    return added ? ctx.json(tell(customer), 201) : ctx.json(tell(customer), 200);
  });
  routes.openapi(listRoute, async (ctx) => {
    const { limit, cursor } = ctx.req.valid('query');
    const after = cursor === undefined ? undefined : readCustomerCursor(cursor);
    const { rows, next } = await deps.customers.page(limit, after);
    const customers = rows.flatMap((row) => ('customer' in row ? [tell(row.customer)] : []));
    const problems = rows.flatMap((row) => ('problem' in row ? [row.problem] : []));
    const more = next === undefined ? {} : { cursor: writeCustomerCursor(next) };
    return ctx.json({ customers, problems, ...more }, 200);
  });
  routes.openapi(showRoute, async (ctx) => {
    const customerId = parseCustomerId(ctx.req.valid('param').customerId);
    const account = await readAccount(deps.account, customerId);
    return ctx.json({ customer: tell(account.customer), account: tellAccount(account) }, 200);
  });
  return routes;
}

/** What is kept of its standing is ours alone. */
function tell(row: Customer): z.infer<typeof customerShape> {
  const { customerId, name, email, plan, billingStatus, createdAt, deletedAt } = row;
  return {
    customerId,
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    plan,
    billingStatus,
    createdAt,
    ...(deletedAt === undefined ? {} : { deletedAt }),
  };
}
