import { html, raw } from 'hono/html';
import type { Account } from '../account/account.ts';
import type { CheckoutSession } from '../checkout/schema.ts';
import { totalOfSession } from '../checkout/schema.ts';
import { lineItemsOf } from '../checkout/view.ts';
import type { Invoice } from '../invoices/schema.ts';
import { totalOf } from '../invoices/schema.ts';
import { formatAmount, toUtc } from './format.ts';
import { style } from './style.ts';
import type { Html } from './table.ts';
import { statusBadge } from './table.ts';

/** What Stripe hosts for a company's customers, as far as a test needs it. */

const cards = [
  ['pm_card_visa', 'Visa 4242, which pays'],
  ['pm_card_mastercard', 'Mastercard 4444, which pays'],
  ['pm_card_chargeDeclined', 'Visa 0002, which is declined'],
  ['pm_card_chargeDeclinedInsufficientFunds', 'Visa 9995, without funds'],
] as const;

export function checkoutPage(
  account: Account,
  session: CheckoutSession,
  nonce: string,
  refusal: string | null,
): Html {
  const { id, currency, mode, status } = session;
  const items = lineItemsOf(account, session).map(
    ({ description, quantity, amount_total: amount }) =>
      html`<div class="row">
        <span>${description ?? 'Item'}${quantity === null ? ' (by usage)' : ` × ${quantity}`}</span>
        <span>${quantity === null ? 'later' : formatAmount(amount, currency)}</span>
      </div>`,
  );
  const form = html`<form method="post" action="/checkout/${id}/pay">
    <label
      >Card
      <select name="card">
        ${cards.map(([token, name]) => html`<option value="${token}">${name}</option>`)}
      </select></label
    >
    <button class="primary">Pay</button>
    <button formaction="/checkout/${id}/decline">Decline</button>
  </form>`;
  return hosted(
    'Checkout',
    nonce,
    html`${items}
      <div class="total">
        <span>Total now</span><span>${formatAmount(totalOfSession(session), currency)}</span>
      </div>
      ${refusal === null ? '' : html`<p class="alert" role="alert">${refusal}</p>`}
      ${status === 'open' ? form : html`<p>This ${mode} is ${statusBadge(status)}</p>`}
      ${session.cancelUrl === null ? '' : html`<p><a href="${linkOf(session.cancelUrl)}">Back without paying</a></p>`}`,
  );
}

export function invoicePage(invoice: Invoice, nonce: string): Html {
  const { currency, lines, number, status } = invoice;
  const rows = lines.map(
    ({ amount, description }) =>
      html`<div class="row">
        <span>${description ?? 'Item'}</span><span>${formatAmount(amount, currency)}</span>
      </div>`,
  );
  return hosted(
    `Invoice ${number ?? '(draft)'}`,
    nonce,
    html`${rows}
      <div class="total">
        <span>Total</span><span>${formatAmount(totalOf(invoice), currency)}</span>
      </div>
      <p>${statusBadge(status)}</p>`,
  );
}

export function portalPage(
  account: Account,
  { customer, returnUrl }: { customer: string; returnUrl: string | null },
  nonce: string,
): Html {
  const rows = [...account.subscriptions.values()]
    .filter((row) => row.customer === customer)
    .map(
      ({ id, period, status }) =>
        html`<div class="row">
          <span><code>${id}</code><br />until ${toUtc(period.end * 1000)} UTC</span>
          <span>${statusBadge(status)}</span>
        </div>`,
    );
  return hosted(
    'Customer portal',
    nonce,
    html`<p>The subscriptions of <code>${customer}</code></p>
      ${rows.length === 0 ? html`<p>None.</p>` : rows}
      ${returnUrl === null ? '' : html`<p><a href="${linkOf(returnUrl)}">Return</a></p>`}`,
  );
}

/** Only addresses of the web become links: a `javascript:` one must not run here. */
function linkOf(url: string): string {
  return /^https?:\/\//.test(url) ? url : '#';
}

function hosted(title: string, nonce: string, content: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}: offline Stripe double</title>
        <link rel="icon" href="data:," />
        <style nonce="${nonce}">
          ${raw(style)}
        </style>
      </head>
      <body>
        <main class="hosted">
          <h1>${title}</h1>
          <p class="lead">Durabill's offline stand-in for Stripe. No money moves here.</p>
          <section>${content}</section>
        </main>
      </body>
    </html>`;
}
