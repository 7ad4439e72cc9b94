import { html } from 'hono/html';
import type { Account } from '../account/account.ts';
import { totalOfSession } from '../checkout/schema.ts';
import { newestFirst } from '../core/list.ts';
import { totalOf } from '../invoices/schema.ts';
import type { SubscriptionItem } from '../subscriptions/schema.ts';
import { formatAmount } from './format.ts';
import type { Html } from './table.ts';
import { code, statusBadge, table, time } from './table.ts';

const shownRows = 25;

/** Subscriptions, invoices, payment intents and checkout sessions, newest first. */
export function billingTables(account: Account): Html[] {
  return [subscriptions(account), invoices(account), intents(account), sessions(account)];
}

function subscriptions({ subscriptions: all, prices, products }: Account): Html {
  const nameOf = ({ price, quantity }: SubscriptionItem): string => {
    const product = prices.get(price)?.product ?? '';
    const name = products.get(product)?.name ?? price;
    return quantity === null ? `${name} by usage` : `${name} × ${quantity}`;
  };
  return table(
    'Subscriptions',
    newestFirst(all.values()).slice(0, shownRows),
    [
      { title: 'Id', cell: ({ id }) => code(id) },
      { title: 'Customer', cell: ({ customer }) => code(customer) },
      { title: 'Items', cell: ({ items }) => items.map(nameOf).join(', ') },
      {
        title: 'Status',
        cell: ({ status, cancelAtPeriodEnd, pauseCollection }) =>
          html`${statusBadge(status)}${cancelAtPeriodEnd ? ' ends with its period' : ''}${
            pauseCollection === null ? '' : ' collection paused'
          }`,
      },
      { title: 'Period ends', cell: ({ period }) => time(period.end * 1000) },
    ],
    'No subscription yet.',
    all.size,
  );
}

function invoices({ invoices: all }: Account): Html {
  return table(
    'Invoices',
    newestFirst(all.values()).slice(0, shownRows),
    [
      { title: 'Id', cell: ({ id }) => html`<a href="/invoice/${id}">${code(id)}</a>` },
      { title: 'Customer', cell: ({ customer }) => code(customer) },
      { title: 'Reason', cell: ({ billingReason }) => billingReason.replaceAll('_', ' ') },
      { title: 'Status', cell: ({ status }) => statusBadge(status) },
      { title: 'Attempts', isNumber: true, cell: ({ attemptCount }) => String(attemptCount) },
      {
        title: 'Total',
        isNumber: true,
        cell: (row) => html`<b>${formatAmount(totalOf(row), row.currency)}</b>`,
      },
    ],
    'No invoice yet.',
    all.size,
  );
}

function intents({ paymentIntents: all }: Account): Html {
  return table(
    'Payment intents',
    newestFirst(all.values()).slice(0, shownRows),
    [
      { title: 'Id', cell: ({ id }) => code(id) },
      { title: 'Customer', cell: ({ customer }) => (customer === null ? '–' : code(customer)) },
      { title: 'For', cell: ({ description }) => description ?? '–' },
      {
        title: 'Status',
        cell: ({ status, lastPaymentError: error }) =>
          html`${statusBadge(status)}${error === null ? '' : html` <small>${error.declineCode}</small>`}`,
      },
      {
        title: 'Amount',
        isNumber: true,
        cell: ({ amount, currency }) => html`<b>${formatAmount(amount, currency)}</b>`,
      },
    ],
    'No payment yet.',
    all.size,
  );
}

function sessions({ checkoutSessions: all }: Account): Html {
  return table(
    'Checkout sessions',
    newestFirst(all.values()).slice(0, shownRows),
    [
      { title: 'Id', cell: ({ id }) => html`<a href="/checkout/${id}">${code(id)}</a>` },
      { title: 'Customer', cell: ({ customer }) => (customer === null ? '–' : code(customer)) },
      { title: 'Mode', cell: ({ mode }) => mode },
      { title: 'Status', cell: ({ status }) => statusBadge(status) },
      { title: 'Payment', cell: ({ paymentStatus }) => paymentStatus.replaceAll('_', ' ') },
      {
        title: 'Total',
        isNumber: true,
        cell: (row) => html`<b>${formatAmount(totalOfSession(row), row.currency)}</b>`,
      },
    ],
    'No checkout yet.',
    all.size,
  );
}
