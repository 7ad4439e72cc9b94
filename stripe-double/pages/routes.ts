import { Hono } from 'hono';
import { randomBytes } from 'node:crypto';
import { eventQuerySchema } from '../control/contract.ts';
import { viewState } from '../control/views.ts';
import type { Double } from '../double.ts';
import { renderPage } from './page.ts';

const shownEvents = 25;

/** The page at `/`: what Stripe has received, for people. */
export function pageRoutes(double: Double): Hono {
  const app = new Hono();
  app.get('/', async (ctx) => {
    const nonce = randomBytes(16).toString('base64');
    const state = viewState(double, eventQuerySchema.parse({ limit: shownEvents }));
    const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
    ctx.header('content-security-policy', policy);
    ctx.header('cache-control', 'no-store');
    return ctx.html(await renderPage(state, double.account, nonce));
  });
  return app;
}
