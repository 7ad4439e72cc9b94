/** `/v1/cast`, `/v1/casts`: runs a customer’s files within its budget, and tells how they went (GA1–GA3). */
import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { BillingError } from '../../domain/errors.ts';
import { castOnce } from '../../operations/casts.ts';
import type { CastDependencies } from '../../operations/casts.ts';
import { findRun, listRuns } from '../../operations/runs.ts';
import type { RunDependencies } from '../../operations/runs.ts';
import type { Metrics } from '../../platform/metrics.ts';
import * as shapes from '../cast-shapes.ts';
import { readPageCursor, writePageCursor } from '../cursor.ts';
import { customerOf } from '../middleware/actor.ts';
import type { ActorEnv, Door } from '../middleware/actor.ts';
import { obeyRateLimit } from '../middleware/rate-limited.ts';
import { jsonBody } from '../middleware/json-body.ts';
import { failures, jsonAnswer } from '../openapi.ts';
import type { RateLimit } from '../rate-limit.ts';
import { badBody, forCustomers, guarded } from './guarded.ts';

export interface CastOptions {
  casts: Omit<CastDependencies, 'metrics'>;
  metrics: CastDependencies['metrics'] & Pick<Metrics, 'casts' | 'castSeconds'>;
  runs: RunDependencies;
  limit: Pick<RateLimit, 'take'>;
}

/** A thousand names of a thousand bytes, and what JSON puts around them. */
const mostBodyBytes = 2 * 1024 * 1024;
const common = { ...forCustomers, tags: ['Casts'] };

const castRoute = createRoute({
  ...common,
  method: 'post',
  path: '/v1/cast',
  operationId: 'cast',
  summary: 'Runs files: their cents are set aside, and the processing is begun',
  description:
    'Asked in this order: key, body, a repeated Idempotency-Key, hard budget, rate limit. With an ' +
    'Idempotency-Key it is safe to repeat after any answer, and after none.',
  request: {
    headers: shapes.castHeaders,
    body: { required: true, content: { 'application/json': { schema: shapes.castBody } } },
  },
  responses: {
    202: jsonAnswer('begun, or begun before with this Idempotency-Key', shapes.castAnswer),
    402: shapes.overBudget,
    ...failures({
      ...guarded,
      ...badBody,
      conflict: 'the Idempotency-Key was used with other files',
    }),
  },
});

const showRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/casts/{processingId}',
  operationId: 'showCast',
  summary: 'How one stands',
  request: { params: shapes.castParam },
  responses: {
    200: jsonAnswer('the processing', shapes.processingShape),
    ...failures({
      ...guarded,
      invalid_request: 'that is no id of a cast',
      not_found: 'this customer has none of that id',
    }),
  },
});

const listRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/casts',
  operationId: 'listCasts',
  summary: 'All of the customer’s, the newest first',
  description: 'With `cursor` in the answer there may be more.',
  request: { query: shapes.listQuery },
  responses: {
    200: jsonAnswer('a page', shapes.listShape),
    ...failures({ ...guarded, invalid_request: 'the limit or the cursor is wrong' }),
  },
});

export function castRoutes(options: CastOptions, door: Door): OpenAPIHono<ActorEnv> {
  const { casts, runs, limit, metrics } = options;
  const deps: CastDependencies = { ...casts, metrics };
  const routes = new OpenAPIHono<ActorEnv>();
  routes.use('/v1/cast', door.casters, jsonBody(mostBodyBytes));
  routes.use('/v1/casts', door.customers);
  routes.use('/v1/casts/*', door.customers);

  routes.openapi(castRoute, async (ctx) => {
    const count = metrics.casts;
    const timed = metrics.castSeconds.startTimer();
    const actor = ctx.get('actor');
    if (actor.kind !== 'customer') throw new Error('a cast without a customer');
    try {
      const { outcome, ...told } = await castOnce(deps, {
        customerId: actor.customerId,
        files: ctx.req.valid('json').files.map(({ key }) => key),
        idempotencyKey: ctx.req.header('Idempotency-Key'),
        takeRate: async () => {
          obeyRateLimit(ctx, await limit.take(actor.apiKey.keyHash));
        },
      });
      count.inc({ outcome });
      return ctx.json(told, 202);
    } catch (error) {
      count.inc({ outcome: error instanceof BillingError ? error.code : 'internal' });
      throw error;
    } finally {
      timed();
    }
  });

  routes.openapi(showRoute, async (ctx) => {
    const run = await findRun(runs, customerOf(ctx), ctx.req.valid('param').processingId);
    return ctx.json(run, 200);
  });

  routes.openapi(listRoute, async (ctx) => {
    const customerId = customerOf(ctx);
    const { limit: most, cursor } = ctx.req.valid('query');
    const list = ['casts', customerId];
    const after = cursor === undefined ? undefined : readPageCursor(cursor, list);
    const { next, ...page } = await listRuns(runs, customerId, most, after);
    const more = next === undefined ? {} : { cursor: writePageCursor(next, list) };
    return ctx.json({ ...page, ...more }, 200);
  });
  return routes;
}
