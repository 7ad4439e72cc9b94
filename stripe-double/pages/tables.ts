import { html } from 'hono/html';
import type { Account } from '../account/account.ts';
import type { DoubleState } from '../control/contract.ts';
import { newestFirst } from '../core/list.ts';
import { withSeparators } from './format.ts';
import type { Column, Html } from './table.ts';
import { code, table, time } from './table.ts';

const shownRows = 25;
const shownTotals = 100;

export function totalsTable({ sums, counts }: DoubleState): Html {
  const columns: Column<DoubleState['sums'][number]>[] = [
    { title: 'Customer', cell: ({ customer }) => code(customer) },
    { title: 'Meter', cell: ({ eventName }) => code(eventName) },
    { title: 'Total', isNumber: true, cell: ({ total }) => html`<b>${withSeparators(total)}</b>` },
    { title: 'Events', isNumber: true, cell: ({ events }) => withSeparators(String(events)) },
  ];
  const empty = `Nothing metered yet. ${counts.meters} meters are waiting.`;
  const sorted = sums.toSorted((left, right) =>
    `${left.customer} ${left.eventName}` < `${right.customer} ${right.eventName}` ? -1 : 1,
  );
  return table('Totals', sorted.slice(0, shownTotals), columns, empty, sums.length);
}

export function eventsTable({ events, counts }: DoubleState): Html {
  const columns: Column<DoubleState['events']['events'][number]>[] = [
    { title: 'Identifier', cell: ({ identifier }) => code(identifier) },
    { title: 'Customer', cell: ({ customer }) => code(customer) },
    { title: 'Meter', cell: ({ eventName }) => code(eventName) },
    { title: 'Value', isNumber: true, cell: ({ value }) => html`<b>${withSeparators(value)}</b>` },
    { title: 'Timestamp', cell: ({ timestamp }) => time(timestamp * 1000) },
    { title: 'Received', cell: ({ receivedAtMs }) => time(receivedAtMs) },
  ];
  return table('Meter events', events.events, columns, 'No meter event yet.', counts.events);
}

export function requestsTable({ requests, totalRequests }: DoubleState): Html {
  const columns: Column<DoubleState['requests'][number]>[] = [
    { title: 'At', cell: ({ atMs }) => time(atMs) },
    { title: 'Request', cell: ({ method, path }) => code(`${method} ${path}`) },
    {
      title: 'Status',
      cell: ({ status, fault, replayed, ms }) => badge(status, fault, replayed, ms),
    },
    {
      title: 'Idempotency key',
      cell: ({ idempotencyKey: key }) => (key === null ? '–' : code(key)),
    },
    { title: 'ms', isNumber: true, cell: ({ ms }) => (ms === null ? '…' : String(ms)) },
  ];
  const rows = requests.slice(0, shownRows);
  return table('API requests', rows, columns, 'No request yet.', totalRequests);
}

export function faultsTable({ faults }: DoubleState): Html {
  const active = faults.filter(({ remaining }) => remaining !== 0);
  return table(
    'Active faults',
    active,
    [
      { title: 'Kind', cell: ({ kind }) => html`<span class="badge bad">${kind}</span>` },
      { title: 'On', cell: ({ method, path }) => code(`${method ?? 'any'} ${path}`) },
      {
        title: 'Match',
        cell: ({ match, where }) => match ?? (where ? JSON.stringify(where) : 'all'),
      },
      {
        title: 'Left',
        isNumber: true,
        cell: ({ remaining }) => (remaining === null ? 'until cleared' : String(remaining)),
      },
      { title: 'Hits', isNumber: true, cell: ({ hits }) => String(hits) },
    ],
    'None: Stripe behaves.',
  );
}

/** Meters, prices, products and customers, newest first. */
export function catalogueTables({ customers, meters, prices, products }: Account): Html[] {
  const customerRows = newestFirst(customers.values(), ({ deleted }) => deleted !== true);
  return [
    table(
      'Meters',
      newestFirst(meters.values()),
      [
        { title: 'Name', cell: ({ display_name: name }) => name },
        { title: 'Event name', cell: ({ event_name: name }) => code(name) },
        { title: 'Formula', cell: ({ default_aggregation: { formula } }) => formula },
        { title: 'Status', cell: ({ status }) => status },
        { title: 'Id', cell: ({ id }) => code(id) },
      ],
      'No meter yet: `durabill setup` makes them.',
    ),
    table(
      'Prices',
      newestFirst(prices.values()),
      [
        { title: 'Product', cell: ({ product }) => products.get(product)?.name ?? product },
        { title: 'Per unit', isNumber: true, cell: ({ unit_amount_decimal: amount }) => amount },
        { title: 'Currency', cell: ({ currency }) => `${currency} (minor units)` },
        {
          title: 'Divide by',
          isNumber: true,
          cell: ({ transform_quantity: by }) => (by ? withSeparators(String(by.divide_by)) : '–'),
        },
        { title: 'Usage', cell: ({ recurring }) => recurring?.usage_type ?? 'one time' },
        { title: 'Lookup key', cell: ({ lookup_key: key }) => (key === null ? '–' : code(key)) },
      ],
      'No price yet.',
    ),
    table(
      'Products',
      newestFirst(products.values()),
      [
        { title: 'Name', cell: ({ name }) => name },
        { title: 'Id', cell: ({ id }) => code(id) },
        { title: 'State', cell: ({ active }) => (active ? 'active' : 'archived') },
      ],
      'No product yet.',
    ),
    table(
      'Customers',
      customerRows.slice(0, shownRows),
      [
        { title: 'Id', cell: ({ id }) => code(id) },
        { title: 'Name', cell: ({ name }) => name ?? '–' },
        { title: 'Email', cell: ({ email }) => email ?? '–' },
      ],
      'No customer yet.',
      customerRows.length,
    ),
  ];
}

function badge(
  status: number | null,
  fault: string | null,
  replayed: boolean,
  ms: number | null,
): Html {
  const good = status !== null && status < 400;
  const name = status === null ? (ms === null ? 'open' : 'no answer') : String(status);
  const mark = good ? 'good' : status === null && ms === null ? 'open' : 'bad';
  const notes = [fault, replayed ? 'replayed' : null].filter((note) => note !== null).join(', ');
  return html`<span class="badge ${mark}">${name}</span
    >${notes === '' ? '' : html` <small>${notes}</small>`}`;
}
