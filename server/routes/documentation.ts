/** `/` (where to look), `/openapi.json` for tools, `/docs` to read. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { contentPolicy, renderDocsPage } from '../docs-page.ts';
import { jsonAnswer } from '../openapi.ts';
import type { ApiDocument } from '../openapi.ts';

const places = {
  name: 'durabill',
  docs: '/docs',
  openapi: '/openapi.json',
  health: '/readyz',
} as const;
const placesWithMetrics = { ...places, metrics: '/metrics' } as const;

const rootRoute = createRoute({
  method: 'get',
  path: '/',
  operationId: 'lookAround',
  tags: ['Documentation'],
  summary: 'Where to look',
  'x-who': 'anyone',
  responses: {
    200: jsonAnswer(
      'paths on this server',
      z.strictObject({
        name: z.literal(places.name),
        docs: z.string(),
        openapi: z.string(),
        health: z.string(),
        metrics: z.string().optional(),
      }),
    ),
  },
});

const documentRoute = createRoute({
  method: 'get',
  path: '/openapi.json',
  operationId: 'readDocument',
  tags: ['Documentation'],
  summary: 'This document, OpenAPI 3.1',
  'x-who': 'anyone',
  responses: {
    200: jsonAnswer(
      'the document',
      z.object({
        openapi: z.string(),
        info: z.object({ title: z.string(), version: z.string() }),
      }),
    ),
  },
});

const pageRoute = createRoute({
  method: 'get',
  path: '/docs',
  operationId: 'readPage',
  tags: ['Documentation'],
  summary: 'The same as a page',
  'x-who': 'anyone',
  responses: {
    200: { description: 'the page', content: { 'text/html': { schema: z.string() } } },
  },
});

/** The document is made at the first request and kept: routes do not change after that. */
export function documentationRoutes(
  makeDocument: () => ApiDocument,
  hasMetrics: boolean,
): OpenAPIHono {
  const routes = new OpenAPIHono();
  let kept: ApiDocument | undefined;
  const document = (): ApiDocument => (kept ??= makeDocument());
  routes.openapi(rootRoute, (ctx) => ctx.json(hasMetrics ? placesWithMetrics : places, 200));
  routes.openapi(documentRoute, (ctx) => ctx.json(document(), 200));
  routes.openapi(pageRoute, async (ctx) => {
    ctx.header('Content-Security-Policy', contentPolicy);
    return ctx.html(await renderDocsPage(document()), 200);
  });
  return routes;
}
