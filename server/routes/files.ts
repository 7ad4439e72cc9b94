/** `POST /v1/files`: an address to upload a file to, so that a customer needs no account at AWS. */
import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { parseFiles } from '../../domain/files.ts';
import { uploadSeconds } from '../../platform/objects.ts';
import type { Objects } from '../../platform/objects.ts';
import * as shapes from '../cast-shapes.ts';
import { customerOf } from '../middleware/actor.ts';
import type { ActorEnv, Door } from '../middleware/actor.ts';
import { jsonBody } from '../middleware/json-body.ts';
import { failures, jsonAnswer } from '../openapi.ts';
import { badBody, forCustomers, guarded } from './guarded.ts';

export interface FileOptions {
  objects: Pick<Objects, 'uploadUrl'>;
}

const mostBodyBytes = 16 * 1024;
const path = '/v1/files';

const uploadRoute = createRoute({
  ...forCustomers,
  tags: ['Casts'],
  method: 'post',
  path,
  operationId: 'uploadFile',
  summary: 'An address to upload a file to',
  description: `It takes one PUT within ${uploadSeconds / 60} minutes; cast the file by the same key then.`,
  request: {
    body: { required: true, content: { 'application/json': { schema: shapes.fileBody } } },
  },
  responses: {
    201: jsonAnswer('where to PUT it', shapes.uploadShape),
    ...failures({ ...guarded, ...badBody }),
  },
});

export function fileRoutes({ objects }: FileOptions, door: Door): OpenAPIHono<ActorEnv> {
  const routes = new OpenAPIHono<ActorEnv>();
  routes.use(path, door.customers, jsonBody(mostBodyBytes));
  routes.openapi(uploadRoute, async (ctx) => {
    const customerId = customerOf(ctx);
    // By the rules of a cast's files: what cannot be cast need not be uploaded.
    const [key = ''] = parseFiles(customerId, 'cast', [ctx.req.valid('json').key]);
    const url = await objects.uploadUrl(customerId, key);
    return ctx.json({ key, url, expiresInSeconds: uploadSeconds }, 201);
  });
  return routes;
}
