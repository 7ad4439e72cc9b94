import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { controlRoutes } from './control/routes.ts';
import { StripeError } from './core/errors.ts';
import type { Incoming } from './core/pipeline-types.ts';
import { handleApiRequest } from './core/pipeline.ts';
import type { Double } from './double.ts';
import { hostedRoutes } from './pages/hosted-routes.ts';
import { pageRoutes } from './pages/routes.ts';

type Env = { Bindings: HttpBindings };

const maximumBodyBytes = 1024 * 1024;
const ownHosts = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** The double over HTTP: Stripe's API, the control API and the page. */
export function createApp(double: Double): Hono<Env> {
  const app = new Hono<Env>();
  app.use(bodyLimit({ maxSize: maximumBodyBytes, onError: refuseBody }));
  app.get('/healthz', (ctx) => ctx.json({ status: 'ok' }));
  // The control API has no key, so web pages of elsewhere must not reach it through the browser.
  app.use(async (ctx, next) => {
    const isApi = /^\/v\d\//.test(ctx.req.path);
    if (!isApi && !isFromHere(ctx) && !isVisit(ctx))
      return ctx.text('Only from this machine.', 403);
    return await next();
  });
  app.route('/_double', controlRoutes(double));
  app.route('/', pageRoutes(double));
  app.route('/', hostedRoutes(double));
  app.all('*', async (ctx) => await answerApi(double, ctx));
  return app;
}

async function answerApi(double: Double, ctx: Context<Env>): Promise<Response> {
  const outgoing = await handleApiRequest(double, toIncoming(ctx));
  if (outgoing.kind === 'dropped') return RESPONSE_ALREADY_SENT;
  return new Response(outgoing.body, { status: outgoing.status, headers: outgoing.headers });
}

function toIncoming(ctx: Context<Env>): Incoming {
  const { outgoing, incoming } = ctx.env;
  const url = new URL(ctx.req.url);
  return {
    method: ctx.req.method,
    path: url.pathname,
    query: url.search.slice(1),
    header: (name) => ctx.req.header(name),
    readBody: async () => await ctx.req.text(),
    gone: new Promise((resolve) => {
      if (outgoing.destroyed) resolve();
      else outgoing.once('close', resolve);
    }),
    destroy: () => {
      incoming.socket.destroy();
    },
  };
}

/** The unread rest of the body makes the connection useless, so the client is told to drop it. */
function refuseBody(ctx: Context): Response {
  const { body } = new StripeError(413, 'The request body is over 1 MiB.');
  return ctx.json(body, 413, { connection: 'close' });
}

/** What Stripe hosts for customers is where other sites send them: to look, not to press a button. */
function isVisit(ctx: Context<Env>): boolean {
  const isHosted = /^\/(checkout|invoice|portal)\/\w+$/.test(ctx.req.path);
  return isHosted && ctx.req.method === 'GET' && ownHosts.test(ctx.req.header('host') ?? '');
}

function isFromHere(ctx: Context<Env>): boolean {
  const site = ctx.req.header('sec-fetch-site') ?? 'none';
  return ownHosts.test(ctx.req.header('host') ?? '') && ['none', 'same-origin'].includes(site);
}
