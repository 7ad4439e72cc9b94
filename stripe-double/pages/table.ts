import { html } from 'hono/html';
import { toUtc, withSeparators } from './format.ts';

export type Html = ReturnType<typeof html>;
export type Column<Row> = { title: string; isNumber?: boolean; cell: (row: Row) => unknown };

/** A titled table; narrow screens show each row as a card, labelled by `data-label`. */
export function table<Row>(
  title: string,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  empty: string,
  total = rows.length,
): Html {
  const count =
    total > rows.length
      ? `${rows.length} of ${withSeparators(String(total))}`
      : withSeparators(String(total));
  const kind = ({ isNumber }: Column<Row>): string => (isNumber === true ? 'number' : '');
  return html`<section>
    <h2>${title} <span class="count">${count}</span></h2>
    ${
      rows.length === 0
        ? html`<p class="empty">${empty}</p>`
        : html`<div class="scroll">
            <table role="table">
              <thead>
                <tr role="row">
                  ${columns.map((column) => html`<th role="columnheader" scope="col" class="${kind(column)}">${column.title}</th>`)}
                </tr>
              </thead>
              <tbody>
                ${rows.map(
                  (row) =>
                    html`<tr role="row">
                      ${columns.map((column) => html`<td role="cell" class="${kind(column)}" data-label="${column.title}"><div>${column.cell(row)}</div></td>`)}
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    }
  </section>`;
}

export const code = (value: string): Html => html`<code>${value}</code>`;
export const time = (ms: number): Html =>
  html`<time datetime="${new Date(ms).toISOString()}">${toUtc(ms)}</time>`;

const goodStates = new Set(['active', 'complete', 'delivered', 'paid', 'succeeded']);
const openStates = new Set(['draft', 'incomplete', 'open', 'paused', 'pending', 'processing']);

/** A state of any object, as good, open or bad. */
export function statusBadge(status: string): Html {
  const isOpen = openStates.has(status) || status.startsWith('requires_');
  const mark = goodStates.has(status) ? 'good' : isOpen ? 'open' : 'bad';
  return html`<span class="badge ${mark}">${status.replaceAll('_', ' ')}</span>`;
}
