import { Hono } from 'hono';
import { z } from 'zod';
import { expireDue } from '../checkout/completion.ts';
import { StripeError } from '../core/errors.ts';
import { createChosenCustomer } from '../customers/customers.ts';
import type { Double } from '../double.ts';
import { addBilling } from './billing-routes.ts';
import {
  clockRequestSchema,
  customerRequestSchema,
  eventQuerySchema,
  faultSpecSchema,
  settingsRequestSchema,
  waitQuerySchema,
} from './contract.ts';
import { readBody } from './read-body.ts';
import {
  hasReached,
  viewClock,
  viewEvents,
  viewProgress,
  viewSettings,
  viewState,
} from './views.ts';
import { addWebhooks } from './webhook-routes.ts';

/** The control API under `/_double`: JSON, no key, this machine only. */
export function controlRoutes(double: Double): Hono {
  const app = new Hono();
  addClock(app, double);
  addFaults(app, double);
  addViews(app, double);
  addBilling(app, double);
  addWebhooks(app, double);
  app.get('/settings', (ctx) => ctx.json(viewSettings(double)));
  app.put('/settings', async (ctx) => {
    const { summaryLagMs, latencyMs, ...limits } = await readBody(ctx, settingsRequestSchema);
    const { limiter, settings } = double;
    const given = Object.fromEntries(Object.entries(limits).filter(([, to]) => to !== undefined));
    if (Object.keys(given).length > 0) limiter.configure({ ...limiter.limits, ...given });
    settings.summaryLagMs = summaryLagMs ?? settings.summaryLagMs;
    settings.latencyMs = latencyMs ?? settings.latencyMs;
    return ctx.json(viewSettings(double));
  });
  app.post('/customers', async (ctx) => {
    const wanted = await readBody(ctx, customerRequestSchema);
    const customer = double.store.transaction(() => createChosenCustomer(double.account, wanted));
    double.activity.changed();
    return ctx.json(customer);
  });
  app.post('/reset', (ctx) => {
    double.reset();
    return ctx.json({ reset: true });
  });
  app.notFound((ctx) => ctx.json({ error: 'not_found', message: `No ${ctx.req.path}` }, 404));
  app.onError((error, ctx) => {
    if (
      error instanceof z.ZodError ||
      error instanceof SyntaxError ||
      error instanceof StripeError
    ) {
      const message = error instanceof z.ZodError ? z.prettifyError(error) : error.message;
      return ctx.json({ error: 'invalid_request', message }, 400);
    }
    return ctx.json({ error: 'internal', message: error.message }, 500);
  });
  return app;
}

function addClock(app: Hono, double: Double): void {
  app.get('/clock', (ctx) => ctx.json(viewClock(double)));
  app.put('/clock', async (ctx) => {
    const wanted = await readBody(ctx, clockRequestSchema);
    const { clock, account } = double;
    if ('reset' in wanted) clock.reset();
    else if ('advanceMs' in wanted) clock.advance(wanted.advanceMs);
    else clock.set(new Date(wanted.now).getTime(), wanted.ticking);
    account.store.transaction(() => {
      account.saveClock();
      expireDue(account);
    });
    return ctx.json(viewClock(double));
  });
}

function addFaults(app: Hono, { activity, faults }: Double): void {
  app.get('/faults', (ctx) => ctx.json(faults.list()));
  app.post('/faults', async (ctx) =>
    ctx.json(faults.add(await readBody(ctx, faultSpecSchema)), 201),
  );
  app.delete('/faults', (ctx) => {
    faults.clear();
    return ctx.json(faults.list());
  });
  app.delete('/faults/:id', (ctx) => {
    faults.clear(ctx.req.param('id'));
    return ctx.json(faults.list());
  });
  app.post('/release', (ctx) => ctx.json({ released: activity.releaseHanging() }));
}

function addViews(app: Hono, double: Double): void {
  app.get('/state', (ctx) => ctx.json(viewState(double, eventQuerySchema.parse(ctx.req.query()))));
  app.get('/sums', (ctx) => ctx.json(double.account.ledger.totals()));
  app.get('/events', (ctx) =>
    ctx.json(viewEvents(double, eventQuerySchema.parse(ctx.req.query()))),
  );
  app.get('/requests', (ctx) => ctx.json(double.activity.requests()));
  app.get('/wait', async (ctx) => {
    const query = waitQuerySchema.parse(ctx.req.query());
    const reached = await double.activity.waitFor(
      () => hasReached(double, query),
      query.timeoutMs,
      ctx.req.raw.signal,
    );
    return ctx.json({ reached, ...viewProgress(double) }, reached ? 200 : 408);
  });
}
