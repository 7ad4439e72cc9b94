/** `/docs/try`: the document as Swagger UI, to send requests from. All it loads comes from this server. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';

/**
 * Scripts and stylesheet by their files; Swagger UI sets styles on its elements, which a policy can only allow
 * as a whole. It talks to this server alone, and whatever it shows cannot be framed or send a form.
 */
const tryPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Durabill: try the HTTP API</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/docs/try/swagger-ui.css" />
  </head>
  <body>
    <noscript>This page runs scripts. The same to read, without them: <a href="/docs">/docs</a></noscript>
    <main id="ui"></main>
    <script src="/docs/try/swagger-ui-bundle.js"></script>
    <script src="/docs/try/start.js"></script>
  </body>
</html>
`;

/** Keys stay in the page's memory, and nobody else is asked to judge the document. */
const start = `const dark = matchMedia('(prefers-color-scheme: dark)');
const paint = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', paint);
paint();
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#ui',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null,
});
`;

const folder = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const ofSwagger = (name: string) => (): string => readFileSync(path.join(folder, name), 'utf8');

/** By the last part of the address. No other file can be asked for: each is a route of its own. */
const files = [
  { id: 'tryStart', name: 'start.js', type: 'text/javascript', read: () => start },
  {
    id: 'tryScript',
    name: 'swagger-ui-bundle.js',
    type: 'text/javascript',
    read: ofSwagger('swagger-ui-bundle.js'),
  },
  { id: 'tryStyle', name: 'swagger-ui.css', type: 'text/css', read: ofSwagger('swagger-ui.css') },
] as const;

const pageRoute = createRoute({
  method: 'get',
  path: '/docs/try',
  operationId: 'tryPage',
  tags: ['Documentation'],
  summary: 'The same as a page that sends requests',
  'x-who': 'anyone',
  responses: {
    200: { description: 'the page', content: { 'text/html': { schema: z.string() } } },
  },
});

function fileRoute(operationId: string, name: string, type: string) {
  return createRoute({
    method: 'get',
    path: `/docs/try/${name}`,
    operationId,
    tags: ['Documentation'],
    summary: 'A part of that page',
    'x-who': 'anyone',
    responses: {
      200: { description: 'the file', content: { [type]: { schema: z.string() } } },
    },
  });
}

export function tryRoutes(): OpenAPIHono {
  const routes = new OpenAPIHono();
  routes.openapi(pageRoute, (ctx) => {
    ctx.header('Content-Security-Policy', tryPolicy);
    return ctx.html(page, 200);
  });
  for (const { id, name, type, read } of files) {
    let kept: string | undefined;
    routes.openapi(fileRoute(id, name, type), (ctx) => {
      ctx.header('Cache-Control', 'public, max-age=3600');
      return ctx.body((kept ??= read()), 200, { 'Content-Type': `${type}; charset=UTF-8` });
    });
  }
  return routes;
}
