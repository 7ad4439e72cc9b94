import { html } from 'hono/html';
import type { Account } from '../account/account.ts';
import type { DoubleState } from '../control/contract.ts';
import { newestFirst } from '../core/list.ts';
import type { Delivery } from '../webhooks/deliveries.ts';
import { withSeparators } from './format.ts';
import type { Html } from './table.ts';
import { code, statusBadge, table, time } from './table.ts';

const shownRows = 15;

/** Events and what became of their deliveries, newest first. */
export function webhookTables(account: Account, state: DoubleState): Html[] {
  return [events(account, state), deliveries(account)];
}

function events({ events: { snapshots, thin }, deliveries: all }: Account, state: DoubleState) {
  const rows = [
    ...newestFirst(snapshots.values()).map(({ id, type, created, data }) => ({
      id,
      type,
      atMs: created * 1000,
      about: typeof data.object['id'] === 'string' ? data.object['id'] : '–',
    })),
    ...newestFirst(thin.values()).map(({ id, type, created, related_object: related }) => ({
      id,
      type,
      atMs: Date.parse(created),
      about: related?.id ?? '–',
    })),
  ];
  return table(
    'Events',
    rows.toSorted((left, right) => right.atMs - left.atMs).slice(0, shownRows),
    [
      { title: 'Type', cell: ({ type }) => code(type) },
      { title: 'About', cell: ({ about }) => code(about) },
      { title: 'At', cell: ({ atMs }) => time(atMs) },
      { title: 'Undelivered', isNumber: true, cell: ({ id }) => String(all.undelivered(id)) },
      { title: 'Id', cell: ({ id }) => code(id) },
    ],
    'No event yet.',
    state.counts.stripeEvents,
  );
}

function deliveries({ deliveries: all, endpoints }: Account): Html {
  const addressOf = (id: string): string =>
    endpoints.get(id)?.url.replace('http://', '') ?? `${id} (gone)`;
  const empty =
    endpoints.size === 0 ? 'No webhook endpoint is registered.' : 'Nothing to deliver yet.';
  return table(
    'Webhook deliveries',
    newestFirst(all.all()).slice(0, shownRows),
    [
      { title: 'Type', cell: ({ type }) => code(type) },
      { title: 'To', cell: ({ endpoint }) => code(addressOf(endpoint)) },
      { title: 'State', cell: ({ state }) => statusBadge(state) },
      { title: 'Last answer', cell: lastAnswer },
      { title: 'Attempts', isNumber: true, cell: ({ attempts }) => String(attempts.length) },
      { title: 'Event', cell: ({ event }) => code(event) },
    ],
    empty,
    all.figures.all,
  );
}

function lastAnswer({ attempts }: Delivery): Html | string {
  const last = attempts.at(-1);
  if (last === undefined) return '–';
  const ms = `${withSeparators(String(last.ms))} ms`;
  return html`${last.status ?? last.error} <small>${ms}</small>`;
}
