/** `/v1/keys`: a customer’s own keys, or any customer’s for an operator (GA6). */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import {
  apiKeyScopes,
  mostNameLength,
  parseApiKeyName,
  parseApiKeyPrefix,
} from '../../domain/api-keys.ts';
import type { ApiKey } from '../../domain/api-keys.ts';
import { BillingError } from '../../domain/errors.ts';
import { parseCustomerId } from '../../domain/ids.ts';
import {
  createKey,
  deleteKey,
  mostOverlapHours,
  rotateKey,
  usualOverlapHours,
} from '../../operations/keys.ts';
import type { KeyDependencies } from '../../operations/keys.ts';
import type { ActorEnv, Door } from '../middleware/actor.ts';
import { jsonBody } from '../middleware/json-body.ts';
import { failures, jsonAnswer, noBody } from '../openapi.ts';
import { badBody, forBoth, guarded, isoTime } from './guarded.ts';

const mostBodyBytes = 16 * 1024;
const path = '/v1/keys';
const common = { ...forBoth, tags: ['Keys'] };

const customerId = z
  .string()
  .optional()
  .openapi({ description: 'whose; operators must say it, a customer may only name itself' });
const keyShape = z
  .strictObject({
    prefix: z.string().openapi({ description: 'its first characters, which name it' }),
    customerId: z.string(),
    name: z.string().optional(),
    scope: z.enum(apiKeyScopes),
    createdAt: isoTime,
    lastUsedAt: isoTime.optional(),
    endsAt: isoTime.optional().openapi({ description: 'after a rotation' }),
  })
  .openapi('ApiKey');
const newKeyShape = z
  .strictObject({
    ...keyShape.shape,
    key: z.string().openapi({ description: 'the key itself: shown this once' }),
  })
  .openapi('NewApiKey');
const newKeyBody = z.strictObject({
  customerId,
  name: z.string().max(mostNameLength).optional(),
  scope: z.enum(apiKeyScopes).default('cast'),
});
const rotateBody = z.strictObject({
  overlapHours: z.number().int().min(0).max(mostOverlapHours).default(usualOverlapHours),
});
const prefixParam = z.strictObject({ prefix: z.string() });
const notThere = { not_found: 'there is no such key or customer' };

const createKeyRoute = createRoute({
  ...common,
  method: 'post',
  path,
  operationId: 'createKey',
  summary: 'Makes a key and shows it, this once',
  request: { body: { required: false, content: { 'application/json': { schema: newKeyBody } } } },
  responses: {
    201: jsonAnswer('the key', newKeyShape),
    ...failures({ ...guarded, ...badBody, ...notThere, conflict: 'there are too many keys' }),
  },
});

const listRoute = createRoute({
  ...common,
  method: 'get',
  path,
  operationId: 'listKeys',
  summary: 'Keys in force, the oldest first',
  request: { query: z.strictObject({ customerId }) },
  responses: {
    200: jsonAnswer('all of them', z.strictObject({ keys: z.array(keyShape) }).openapi('ApiKeys')),
    ...failures({
      ...guarded,
      invalid_request: 'whose they are is not said, or is no customer id',
      not_found: 'a customer asks for another’s',
    }),
  },
});

const rotateRoute = createRoute({
  ...common,
  method: 'post',
  path: `${path}/{prefix}/rotate`,
  operationId: 'rotateKey',
  summary: 'Makes a new key; the old one ends after the overlap',
  request: {
    params: prefixParam,
    body: { required: false, content: { 'application/json': { schema: rotateBody } } },
  },
  responses: {
    201: jsonAnswer(
      'the new key; `replaced` is the old one',
      // Not by `extend`: the document would say that it is both shapes, which nothing can be.
      z.strictObject({ ...newKeyShape.shape, replaced: keyShape }).openapi('RotatedApiKey'),
    ),
    ...failures({ ...guarded, ...badBody, ...notThere, conflict: 'two keys begin so' }),
  },
});

const deleteRoute = createRoute({
  ...common,
  method: 'delete',
  path: `${path}/{prefix}`,
  operationId: 'deleteKey',
  summary: 'Deletes a key: it stops working at once',
  request: { params: prefixParam },
  responses: {
    204: noBody('it is gone'),
    ...failures({
      ...guarded,
      ...notThere,
      invalid_request: 'that is no prefix of a key',
      conflict: 'two keys begin so',
    }),
  },
});

export function keyRoutes(deps: KeyDependencies, door: Door): OpenAPIHono<ActorEnv> {
  const routes = new OpenAPIHono<ActorEnv>();
  routes.use(path, door.customersAndOperators, jsonBody(mostBodyBytes));
  routes.use(`${path}/*`, door.customersAndOperators, jsonBody(mostBodyBytes));

  routes.openapi(createKeyRoute, async (ctx) => {
    const { name, scope, ...order } = newKeyBody.parse(ctx.req.valid('json'));
    const made = await createKey(deps, {
      customerId: whoseKeys(ctx, order.customerId),
      scope,
      ...(name === undefined ? {} : { name: parseApiKeyName(name) }),
    });
    return ctx.json({ ...withoutHash(made.apiKey), key: made.key }, 201);
  });
  routes.openapi(listRoute, async (ctx) => {
    const whose = whoseKeys(ctx, ctx.req.valid('query').customerId);
    return ctx.json({ keys: (await deps.apiKeys.listOf(whose)).map(withoutHash) }, 200);
  });
  routes.openapi(rotateRoute, async (ctx) => {
    const prefix = parseApiKeyPrefix(ctx.req.valid('param').prefix);
    const { overlapHours } = rotateBody.parse(ctx.req.valid('json'));
    const made = await rotateKey(deps, prefix, { ...ownOnly(ctx), overlapHours });
    const told = { ...withoutHash(made.apiKey), key: made.key };
    return ctx.json({ ...told, replaced: withoutHash(made.replaced) }, 201);
  });
  routes.openapi(deleteRoute, async (ctx) => {
    const prefix = parseApiKeyPrefix(ctx.req.valid('param').prefix);
    await deleteKey(deps, prefix, ownOnly(ctx).customerId);
    return ctx.body(null, 204);
  });
  return routes;
}

/** Another customer’s keys are as good as not there: 404 and not 403 (GA6). */
function whoseKeys(ctx: Context<ActorEnv>, named: string | undefined): string {
  const actor = ctx.get('actor');
  if (actor.kind === 'operator') {
    if (named === undefined) throw new BillingError('invalid_request', 'customerId: say whose');
    return parseCustomerId(named);
  }
  if (named === undefined || named === actor.customerId) return actor.customerId;
  throw new BillingError('not_found', 'there is no such customer');
}

function ownOnly(ctx: Context<ActorEnv>): { customerId?: string } {
  const actor = ctx.get('actor');
  return actor.kind === 'customer' ? { customerId: actor.customerId } : {};
}

function withoutHash({ keyHash: _keyHash, ...told }: ApiKey): Omit<ApiKey, 'keyHash'> {
  return told;
}
