import type { Context } from 'hono';
import { Hono } from 'hono';
import { randomBytes } from 'node:crypto';
import { payCheckout } from '../checkout/completion.ts';
import { findSession } from '../checkout/routes.ts';
import type { CheckoutSession } from '../checkout/schema.ts';
import { StripeError } from '../core/errors.ts';
import type { Double } from '../double.ts';
import { checkoutPage, invoicePage, portalPage } from './hosted.ts';
import type { Html } from './table.ts';

/** The pages that Stripe hosts: checkout, invoice and customer portal. */
export function hostedRoutes(double: Double): Hono {
  const { account } = double;
  const app = new Hono();
  app.get('/checkout/:id', async (ctx) => {
    const session = findSession(account, ctx.req.param('id'));
    return await show(ctx, 200, (nonce) => checkoutPage(account, session, nonce, null));
  });
  app.post('/checkout/:id/pay', async (ctx) => {
    const { card } = await ctx.req.parseBody();
    return await pay(double, ctx, typeof card === 'string' ? card : 'pm_card_visa');
  });
  app.post(
    '/checkout/:id/decline',
    async (ctx) => await pay(double, ctx, 'pm_card_chargeDeclined'),
  );
  app.get('/invoice/:id', async (ctx) => {
    const invoice = account.invoices.get(ctx.req.param('id'));
    if (invoice === undefined) return ctx.text('No such invoice.', 404);
    return await show(ctx, 200, (nonce) => invoicePage(invoice, nonce));
  });
  app.get('/portal/:id', async (ctx) => {
    const session = account.portalSessions.get(ctx.req.param('id'));
    if (session === undefined) return ctx.text('No such portal session.', 404);
    return await show(ctx, 200, (nonce) => portalPage(account, session, nonce));
  });
  app.onError((error, ctx) => {
    if (!(error instanceof StripeError)) throw error;
    return ctx.text(error.message, error.status === 404 ? 404 : 400);
  });
  return app;
}

async function pay({ account, activity, store }: Double, ctx: Context, card: string) {
  const session = findSession(account, ctx.req.param('id'));
  if (session.status !== 'open') {
    return await show(ctx, 409, (nonce) => checkoutPage(account, session, nonce, null));
  }
  const { session: after, decline } = store.transaction(() =>
    payCheckout(account, session, { card, isAsync: false }),
  );
  activity.changed();
  if (decline === null) return ctx.redirect(returnUrlOf(after), 303);
  const { message } = decline;
  return await show(ctx, 402, (nonce) => checkoutPage(account, after, nonce, message));
}

function returnUrlOf({ id, successUrl }: CheckoutSession): string {
  return successUrl.replaceAll('{CHECKOUT_SESSION_ID}', id);
}

async function show(ctx: Context, status: 200 | 402 | 409, page: (nonce: string) => Html) {
  const nonce = randomBytes(16).toString('base64');
  // Chromium holds a form's redirect to form-action too, and it leads to the company's own page.
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; img-src data:; base-uri 'none'; form-action 'self' http: https:; frame-ancestors 'none'`;
  ctx.header('content-security-policy', policy);
  ctx.header('cache-control', 'no-store');
  return ctx.html(await page(nonce), status);
}
