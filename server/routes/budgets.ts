/** `/v1/budgets`: a customer's own hard limit (GA1). */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { checkBudget, mostBudgetCents } from '../../domain/budgets.ts';
import type { Budget } from '../../domain/budgets.ts';
import { showBudget } from '../../operations/budgets.ts';
import type { BudgetDependencies } from '../../operations/budgets.ts';
import { customerOf } from '../middleware/actor.ts';
import type { ActorEnv, Door } from '../middleware/actor.ts';
import { jsonBody } from '../middleware/json-body.ts';
import { failures, jsonAnswer, noBody } from '../openapi.ts';
import { badBody, forCustomers, guarded, isoTime } from './guarded.ts';

const cents = z.number().int().min(0).max(mostBudgetCents);
const limitsBody = z
  .strictObject({
    hardLimitCents: cents.openapi({ description: 'a cast that would pass it is refused' }),
    softLimitCents: cents.optional().openapi({ description: 'passing it alerts, once a month' }),
    period: z.literal('monthly').default('monthly'),
  })
  .openapi('Limits');

const budgetShape = z
  .strictObject({
    hardLimitCents: cents,
    softLimitCents: cents.optional(),
    period: z.literal('monthly'),
    month: z.string().openapi({ description: 'the calendar month (UTC) that the figures are of' }),
    usedCents: z.number().int(),
    reservedCents: z.number().int().openapi({ description: 'set aside for casts under way' }),
    leftCents: z.number().int(),
    updatedAt: isoTime,
  })
  .openapi('Budget');

const mostBodyBytes = 16 * 1024;
const common = { ...forCustomers, tags: ['Budgets'] };
const body = { required: true, content: { 'application/json': { schema: limitsBody } } };
const path = '/v1/budgets';

const showRoute = createRoute({
  ...common,
  method: 'get',
  path,
  operationId: 'showBudget',
  summary: 'The limit, and where the month stands',
  responses: {
    200: jsonAnswer('the budget', budgetShape),
    ...failures({ ...guarded, not_found: 'there is no budget, and so no limit' }),
  },
});

const createBudgetRoute = createRoute({
  ...common,
  method: 'post',
  path,
  operationId: 'createBudget',
  summary: 'Sets a budget where there is none',
  request: { body },
  responses: {
    201: jsonAnswer('the budget', budgetShape),
    ...failures({ ...guarded, ...badBody, conflict: 'there is one: replace it with PUT' }),
  },
});

const replaceRoute = createRoute({
  ...common,
  method: 'put',
  path,
  operationId: 'replaceBudget',
  summary: 'Sets or replaces the budget; what is reserved stays reserved',
  request: { body },
  responses: {
    200: jsonAnswer('the budget', budgetShape),
    ...failures({ ...guarded, ...badBody }),
  },
});

const deleteRoute = createRoute({
  ...common,
  method: 'delete',
  path,
  operationId: 'deleteBudget',
  summary: 'Takes the limit away; what is spent is counted on',
  responses: {
    204: noBody('there is no budget any more'),
    ...failures({ ...guarded, not_found: 'there is no budget' }),
  },
});

export function budgetRoutes(options: BudgetDependencies, door: Door): OpenAPIHono<ActorEnv> {
  const { spending } = options;
  const routes = new OpenAPIHono<ActorEnv>();
  routes.use(path, door.customers, jsonBody(mostBodyBytes));

  const show = async (customerId: string, known?: Budget) =>
    await showBudget(options, customerId, known);
  const set = async (ctx: Context<ActorEnv>, given: z.infer<typeof limitsBody>, isNew: boolean) => {
    const { hardLimitCents, softLimitCents } = given;
    const limits = {
      hardLimitCents,
      ...(softLimitCents === undefined ? {} : { softLimitCents }),
    };
    checkBudget(limits);
    const customerId = customerOf(ctx);
    return await show(customerId, await spending.change(customerId, limits, isNew));
  };

  routes.openapi(showRoute, async (ctx) => ctx.json(await show(customerOf(ctx)), 200));
  routes.openapi(createBudgetRoute, async (ctx) =>
    ctx.json(await set(ctx, ctx.req.valid('json'), true), 201),
  );
  routes.openapi(replaceRoute, async (ctx) =>
    ctx.json(await set(ctx, ctx.req.valid('json'), false), 200),
  );
  routes.openapi(deleteRoute, async (ctx) => {
    await spending.change(customerOf(ctx), {});
    return ctx.body(null, 204);
  });
  return routes;
}
