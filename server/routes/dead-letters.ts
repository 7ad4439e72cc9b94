/** `/v1/dead-letters`: what a person must look at, for operators (WH7, DL9). */
import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { parseDiscardReason } from '../../domain/dead-letters.ts';
import { BillingError } from '../../domain/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { findLetter } from '../../operations/dead-letters/letter.ts';
import { discard, redriveByName } from '../../operations/dead-letters/redrive.ts';
import type { Redriven, RedriveDependencies } from '../../operations/dead-letters/redrive.ts';
import type { DeadLetters } from '../../tables/dead-letters.ts';
import { readCursor, writeCursor } from '../cursor.ts';
import * as shapes from '../dead-letter-shapes.ts';
import { tellError } from '../errors.ts';
import type { ActorEnv, Door } from '../middleware/actor.ts';
import { jsonBody } from '../middleware/json-body.ts';
import { forOperators } from './guarded.ts';
import { failures, jsonAnswer } from '../openapi.ts';
import { redriveOpen } from '../redrive-open.ts';
import type { TemporalRedrive } from '../temporal-redrive.ts';

type Tables = Pick<
  RedriveDependencies,
  'ledger' | 'storageDaily' | 'storageMonthly' | 'webhookEvents'
>;

export interface DeadLetterOptions {
  tables: Tables & { deadLetters: Pick<DeadLetters, 'get' | 'close' | 'reopen' | 'page'> };
  temporal: TemporalRedrive;
  now: () => Date;
}

/** Reasons and cursors are short. */
const mostBodyBytes = 16 * 1024;
/** A caller waits for us: what takes longer is answered as `started`. */
const applyPatienceMs = 5000;

const common = { ...forOperators, tags: ['Dead letters'] };
const guarded = {
  unauthorized: 'the admin token is missing or wrong',
  forbidden: 'not with a customer’s key',
  internal: 'a table could not be read or written: try again',
  billing_disabled: 'no ADMIN_TOKEN is set',
};
const notThere = { not_found: 'there is no such dead letter' };
const away = { unavailable: 'Temporal does not answer: try again' };

const listRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/dead-letters',
  operationId: 'listDeadLetters',
  summary: 'What waits for a person, the oldest first',
  description:
    'With `cursor` in the answer there may be more; a page may hold fewer than `limit` and not be the last.',
  request: { query: shapes.listQuery },
  responses: {
    200: jsonAnswer('a page', shapes.listShape),
    ...failures({ ...guarded, invalid_request: 'a filter, the limit or the cursor is wrong' }),
  },
});

const showRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/dead-letters/{id}',
  operationId: 'showDeadLetter',
  summary: 'One, with the record as it stood',
  request: { params: shapes.idParam },
  responses: {
    200: jsonAnswer('the dead letter', shapes.deadLetterShape),
    ...failures({ ...guarded, ...notThere, invalid_request: 'the id is too long' }),
  },
});

const redriveRoute = createRoute({
  ...common,
  method: 'post',
  path: '/v1/dead-letters/{id}/redrive',
  operationId: 'redriveDeadLetter',
  summary: 'Tries laid-aside work once more; safe to repeat',
  request: { params: shapes.idParam },
  responses: {
    200: jsonAnswer('how it ended; `again`: it was laid aside anew', shapes.redrivenShape),
    202: jsonAnswer(
      'begun, and open until it is done: ask once more to see how it ended',
      shapes.redrivenShape,
    ),
    ...failures({
      ...guarded,
      ...notThere,
      ...away,
      invalid_request: 'the id is too long',
      conflict: 'it was discarded, or what it is about is gone',
    }),
  },
});

const discardRoute = createRoute({
  ...common,
  method: 'post',
  path: '/v1/dead-letters/{id}/discard',
  operationId: 'discardDeadLetter',
  summary: 'Closes one for good; its row and the reason are kept',
  request: {
    params: shapes.idParam,
    body: { required: true, content: { 'application/json': { schema: shapes.discardBody } } },
  },
  responses: {
    200: jsonAnswer('the dead letter, closed', shapes.deadLetterShape),
    ...failures({
      ...guarded,
      ...notThere,
      invalid_request: 'the reason is not 1 to 500 characters on one line',
      conflict: 'it is closed already, or a redrive of it has begun',
      too_large: `the body is over ${mostBodyBytes / 1024} KiB`,
    }),
  },
});

const redriveOpenRoute = createRoute({
  ...common,
  method: 'post',
  path: '/v1/dead-letters/redrive',
  operationId: 'redriveOpenDeadLetters',
  summary: 'Tries every open one once more, or those of a kind',
  description:
    'At most 100 a call, begun within 5 seconds: with `cursor` in the answer there may be more. One that fails does not keep the others.',
  request: {
    body: { content: { 'application/json': { schema: shapes.redriveOpenBody } } },
  },
  responses: {
    200: jsonAnswer('what became of each', shapes.redrivenOpenShape),
    ...failures({
      ...guarded,
      ...away,
      invalid_request: 'the kind or the cursor is wrong',
      too_large: `the body is over ${mostBodyBytes / 1024} KiB`,
    }),
  },
});

/** The same steps and checks as the command line's (`operations/dead-letters/`), answered sooner. */
export function deadLetterRoutes(
  options: DeadLetterOptions,
  door: Door,
  logger: Logger,
): OpenAPIHono<ActorEnv> {
  const { tables, temporal, now } = options;
  const patient = (patienceMs: number): RedriveDependencies => ({
    ...tables,
    ...temporal.connect(patienceMs),
    now,
  });
  const routes = new OpenAPIHono<ActorEnv>();
  routes.use('/v1/dead-letters/*', door.operators, jsonBody(mostBodyBytes));

  routes.openapi(listRoute, async (ctx) => {
    const { kind, status, limit, cursor } = ctx.req.valid('query');
    const list = ['list', kind ?? 'all', status];
    const after = cursor === undefined ? undefined : readCursor(cursor, list);
    const wanted = status === 'all' ? undefined : status;
    const page = await tables.deadLetters.page({ kind, status: wanted, limit, after });
    const more = page.next === undefined ? {} : { cursor: writeCursor(page.next, list) };
    return ctx.json({ deadLetters: page.letters, ...more }, 200);
  });

  routes.openapi(showRoute, async (ctx) => {
    return ctx.json(await findLetter(tables, ctx.req.valid('param').id), 200);
  });

  routes.openapi(redriveRoute, async (ctx) => {
    const { id } = ctx.req.valid('param');
    await temporal.ask();
    const done = await redriveByName(
      { ...patient(applyPatienceMs), deadLetters: tables.deadLetters },
      id,
    );
    logRedriven(logger, ctx, done);
    return ctx.json(done, done.outcome === 'started' ? 202 : 200);
  });

  routes.openapi(discardRoute, async (ctx) => {
    const { id } = ctx.req.valid('param');
    const reason = parseDiscardReason(ctx.req.valid('json').reason);
    const letter = await discard({ ...tables, now }, id, reason);
    logger.info({ ...whereOf(ctx), deadLetterId: id }, 'dead letter discarded');
    return ctx.json(letter, 200);
  });

  routes.openapi(redriveOpenRoute, async (ctx) => {
    const { kind, cursor } = ctx.req.valid('json');
    const list = ['redrive', kind ?? 'all'];
    const after = cursor === undefined ? undefined : readCursor(cursor, list);
    await temporal.ask();
    const { deadLetters } = tables;
    const tell = (error: unknown, id: string) =>
      tellError(logger, error, { ...whereOf(ctx), deadLetterId: id });
    const { next, ...done } = await redriveOpen(
      { deadLetters, patient, now },
      { kind, after },
      tell,
    );
    for (const one of done.redriven) logRedriven(logger, ctx, one);
    const more = next === undefined ? {} : { cursor: writeCursor(next, list) };
    return ctx.json({ ...done, ...more }, 200);
  });

  // The last one, so that nothing else fits: most likely an id with its slashes.
  routes.all('/v1/dead-letters/*', () => {
    const advice = 'an id is one segment, its slashes written as %2F';
    throw new BillingError('not_found', `there is nothing at this address: ${advice}`);
  });
  return routes;
}

function logRedriven(logger: Logger, ctx: Context, { id, outcome }: Redriven): void {
  logger.info({ ...whereOf(ctx), deadLetterId: id, outcome }, 'dead letter redriven');
}

function whereOf(ctx: Context): { requestId: unknown } {
  return { requestId: ctx.get('requestId') };
}
