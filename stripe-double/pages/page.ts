import { html, raw } from 'hono/html';
import type { Account } from '../account/account.ts';
import type { DoubleState } from '../control/contract.ts';
import { billingTables } from './billing-tables.ts';
import { toUtc, withSeparators } from './format.ts';
import { style } from './style.ts';
import { catalogueTables, eventsTable, faultsTable, requestsTable, totalsTable } from './tables.ts';
import { webhookTables } from './webhook-tables.ts';

type Html = ReturnType<typeof html>;

/** Fetches the page again and swaps what changed, unless someone reads with a selection or is away. */
const refreshScript = `
const refresh = async () => {
  const isBusy = document.hidden || String(getSelection()) !== '';
  if (!isBusy) {
    try {
      const answer = await fetch('/', { signal: AbortSignal.timeout(5000) });
      // Without the style: this page's policy knows only its own nonce.
      const text = (await answer.text()).replace(/<style[^]*?<\\/style>/, '');
      const next = new DOMParser().parseFromString(text, 'text/html');
      for (const id of ['figures', 'tables']) {
        const [now, then] = [document.getElementById(id), next.getElementById(id)];
        if (then && now.innerHTML !== then.innerHTML) now.innerHTML = then.innerHTML;
      }
      document.getElementById('live').textContent = 'Refreshes by itself every 3 seconds.';
    } catch {
      document.getElementById('live').textContent = 'The double does not answer; trying again.';
    }
  }
  setTimeout(refresh, 3000);
};
setTimeout(refresh, 3000);
`;

/** The whole page. Every value is escaped by hono's html helper. */
export async function renderPage(
  state: DoubleState,
  account: Account,
  nonce: string,
): Promise<string> {
  const [meters, prices, products, customers] = catalogueTables(account);
  const page = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Offline Stripe double: what Stripe has received</title>
        <link rel="icon" href="data:," />
        <noscript><meta http-equiv="refresh" content="5" /></noscript>
        <style nonce="${nonce}">
          ${raw(style)}
        </style>
      </head>
      <body>
        <header>
          <h1>Offline Stripe double: what Stripe has received</h1>
          <p class="lead">
            This is Durabill's offline stand-in for Stripe. No money moves here, and nothing leaves
            this machine. All times are UTC, by the double's own clock.
          </p>
        </header>
        <main>
          <dl class="figures" id="figures">${figures(state)}</dl>
          <div id="tables">
            ${totalsTable(state)}
            ${state.faults.some(({ remaining }) => remaining !== 0) ? faultsTable(state) : ''}
            ${eventsTable(state)} ${billingTables(account)} ${webhookTables(account, state)}
            ${meters} ${prices}
            <div class="pair">${products}${customers}</div>
            ${requestsTable(state)}
            ${state.faults.some(({ remaining }) => remaining !== 0) ? '' : faultsTable(state)}
          </div>
        </main>
        <footer>
          <p>
            <span id="live">Refreshes by itself every 3 seconds.</span> The same as JSON:
            <a href="/_double/state">/_double/state</a>, <a href="/_double/sums">/_double/sums</a>,
            <a href="/_double/events">/_double/events</a>,
            <a href="/_double/webhooks/deliveries">/_double/webhooks/deliveries</a>.
          </p>
        </footer>
        <script nonce="${nonce}">
          ${raw(refreshScript)};
        </script>
      </body>
    </html>`;
  return page.toString();
}

function figures({ clock, counts, inFlight, hanging, settings, webhooks }: DoubleState): Html[] {
  const limit = settings.perSecond === null ? 'no rate limit' : `${settings.perSecond} a second`;
  const lag = settings.summaryLagMs === 0 ? '' : `, summaries lag ${settings.summaryLagMs} ms`;
  return [
    figure('Clock', toUtc(clock.nowMs), `${clock.mode}, UTC`),
    figure('Meter events', withSeparators(String(counts.events)), 'accepted'),
    figure('Customers', withSeparators(String(counts.customers)), `${counts.meters} meters`),
    figure(
      'Webhooks',
      withSeparators(String(webhooks.delivered)),
      `delivered, ${webhooks.pending} pending, ${counts.stripeEvents} events`,
    ),
    figure('In flight', String(inFlight), `${hanging} hanging, ${limit}${lag}`),
  ];
}

function figure(name: string, value: string, note: string): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}<small>${note}</small></dd>
  </div>`;
}
