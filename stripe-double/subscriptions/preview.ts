import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { invalidParameter, refused } from '../core/errors.ts';
import { derivedId } from '../core/ids.ts';
import { expand, parseParams, text } from '../core/params.ts';
import { existing } from '../core/reading.ts';
import type { ApiCall, Route } from '../core/router.ts';
import { checkCustomer } from '../customers/customers.ts';
import { pendingItems, toLine } from '../invoice-items/lines.ts';
import { draftOf } from '../invoices/invoices.ts';
import { renderInvoice } from '../invoices/view.ts';
import { intervalOf } from './billing.ts';
import { licensedLines, meteredLines } from './lines.ts';
import { periodEnd } from './periods.ts';
import type { Subscription } from './schema.ts';

const previewParams = z.strictObject({
  customer: text.optional(),
  expand,
  subscription: text.optional(),
});

/**
 * The invoice that a subscription's period would end with, were it over now
 * (https://docs.stripe.com/api/invoices/create_preview). Nothing is kept and nothing is told; usage is in
 * it once summaries have it.
 */
export function invoicePreviewRoutes(
  account: Account,
  settings: { summaryLagMs: number },
): Route[] {
  const path = '/v1/invoices/create_preview';
  return [
    { method: 'POST', path, handle: (call) => preview(account, settings.summaryLagMs, call) },
  ];
}

function preview(account: Account, lagMs: number, { params }: ApiCall): object {
  const given = parseParams(previewParams, params);
  const subscription = findUpcoming(account, given);
  const { id, currency, customer, metadata, period } = subscription;
  const every = intervalOf(account, subscription);
  const next = {
    start: period.end,
    end: periodEnd(period.end, subscription.billingCycleAnchor, every),
  };
  const licensed = subscription.cancelAtPeriodEnd ? [] : licensedLines(account, subscription, next);
  const visibleUntilMs = account.clock.nowMs() - lagMs;
  const metered = meteredLines(account, subscription, period, visibleUntilMs);
  const wanted = { currency, customer, subscription: { id, metadata } };
  const pending = pendingItems(account, wanted).map(toLine);
  const invoice = draftOf(
    account,
    {
      ...wanted,
      billingReason: 'upcoming',
      collectionMethod: subscription.collectionMethod,
      // Made when the period ends.
      created: period.end,
      daysUntilDue: subscription.daysUntilDue,
      lines: [...licensed, ...metered, ...pending],
      nextPaymentAttempt: period.end + 3600,
      period,
    },
    derivedId('upcoming_in', id, period.end),
  );
  return renderInvoice(account, invoice);
}

/** The one that is named, else the customer's that ends its period first. */
function findUpcoming(
  account: Account,
  { customer, subscription: named }: z.infer<typeof previewParams>,
): Subscription {
  if (named !== undefined) {
    const subscription = existing(account.subscriptions, 'subscription', named, 'subscription');
    if (customer !== undefined && customer !== subscription.customer) {
      throw invalidParameter('customer', `The subscription ${named} is of another customer.`);
    }
    if (isBilled(subscription)) return subscription;
    throw refused(`No upcoming invoices for subscription: ${named}`, {
      code: 'invoice_upcoming_none',
    });
  }
  if (customer === undefined) {
    const message = 'You must specify one of these parameters: customer, subscription.';
    throw invalidParameter('customer', message, 'parameter_missing');
  }
  checkCustomer(account, customer);
  const [first] = [...account.subscriptions.values()]
    .filter((one) => one.customer === customer && isBilled(one))
    .toSorted((one, other) => one.period.end - other.period.end);
  if (first !== undefined) return first;
  throw refused(`No upcoming invoices for customer: ${customer}`, {
    code: 'invoice_upcoming_none',
  });
}

/** Stripe bills no period of one that ended, or whose first payment was never made. */
function isBilled({ status }: Subscription): boolean {
  return status !== 'canceled' && status !== 'incomplete' && status !== 'paused';
}
