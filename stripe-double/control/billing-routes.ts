import type { Hono } from 'hono';
import type { Paid } from '../checkout/completion.ts';
import { expireCheckout, payCheckout, settleCheckout } from '../checkout/completion.ts';
import { findSession } from '../checkout/routes.ts';
import { refused } from '../core/errors.ts';
import { moveDispute, openDispute } from '../disputes/disputes.ts';
import type { Double } from '../double.ts';
import { reportMeterErrors } from '../meter-events/error-reports.ts';
import { endPeriod } from '../subscriptions/billing.ts';
import { findSubscription } from '../subscriptions/routes.ts';
import { readBody } from './read-body.ts';
import {
  disputeMoveSchema,
  disputeRequestSchema,
  endPeriodRequestSchema,
  meterErrorsRequestSchema,
  payRequestSchema,
} from './webhook-contract.ts';

/** What only Stripe or a customer of Stripe can do: ends of periods, payments on the page, reports. */
export function addBilling(app: Hono, { account, activity, store }: Double): void {
  const commit = <Result>(work: () => Result): Result => {
    const result = store.transaction(work);
    activity.changed();
    return result;
  };
  app.post('/subscriptions/:id/end-period', async (ctx) => {
    const options = await readBody(ctx, endPeriodRequestSchema);
    const subscription = findSubscription(account, ctx.req.param('id'));
    if (subscription.status === 'canceled') throw refused('The subscription has ended.');
    const { id, latestInvoice, status } = commit(() => endPeriod(account, subscription, options));
    const invoiceStatus = account.invoices.get(latestInvoice ?? '')?.status ?? null;
    return ctx.json({ subscription: id, status, invoice: latestInvoice, invoiceStatus });
  });
  app.post('/checkout/:id/pay', async (ctx) => {
    const payment = await readBody(ctx, payRequestSchema);
    const session = findSession(account, ctx.req.param('id'));
    return ctx.json(viewPaid(commit(() => payCheckout(account, session, payment))));
  });
  app.post('/checkout/:id/settle/:outcome{succeeded|failed}', (ctx) => {
    const session = findSession(account, ctx.req.param('id'));
    const succeeds = ctx.req.param('outcome') === 'succeeded';
    const settled = commit(() => settleCheckout(account, session, succeeds));
    return ctx.json(viewPaid({ session: settled, decline: null }));
  });
  app.post('/checkout/:id/expire', (ctx) => {
    const session = findSession(account, ctx.req.param('id'));
    const expired = commit(() => expireCheckout(account, session));
    return ctx.json(viewPaid({ session: expired, decline: null }));
  });
  app.post('/disputes', async (ctx) => {
    const wanted = await readBody(ctx, disputeRequestSchema);
    const { id, status } = commit(() => openDispute(account, wanted));
    return ctx.json({ id, status }, 201);
  });
  app.post('/disputes/:id', async (ctx) => {
    const { status: to } = await readBody(ctx, disputeMoveSchema);
    const { id, status } = commit(() => moveDispute(account, ctx.req.param('id'), to));
    return ctx.json({ id, status });
  });
  app.post('/meter-errors', async (ctx) => {
    const report = await readBody(ctx, meterErrorsRequestSchema);
    const { id, type } = commit(() => reportMeterErrors(account, report));
    return ctx.json({ id, type }, 201);
  });
}

function viewPaid({ session, decline }: Paid) {
  const { id, status, paymentStatus, customer, subscription, paymentIntent } = session;
  const declineCode = decline?.declineCode ?? null;
  return { id, status, paymentStatus, customer, subscription, paymentIntent, declineCode };
}
