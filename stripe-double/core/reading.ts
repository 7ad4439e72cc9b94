/** What is read of every resource alike: one object by its id, and a list. */
import type { z } from 'zod';
import { noSuch } from './errors.ts';
import type { PageParams } from './list.ts';
import { newestFirst, toPage } from './list.ts';
import { parseParams, refuseParams } from './params.ts';
import type { Route } from './router.ts';
import type { Collection } from './store.ts';

/** The row of the id in a path; 404 when there is none. `param` is what Stripe calls the id. */
export function existing<Row>(rows: Collection<Row>, noun: string, id = '', param = 'id'): Row {
  const row = rows.get(id);
  if (row === undefined) throw noSuch(noun, id, param, 404);
  return row;
}

/** `GET path/:id`, which takes no parameters. */
export function readOne(path: string, show: (id: string) => object): Route {
  return {
    method: 'GET',
    path: `${path}/:id`,
    handle: ({ params, pathIds }) => {
      refuseParams(params);
      return show(pathIds['id'] ?? '');
    },
  };
}

/** `GET path`: a page of the rows that are listed under the given parameters, newest first. */
export function readList<Row extends { id: string }, Wanted extends PageParams>(
  path: string,
  rows: Collection<Row>,
  how: {
    params: z.ZodType<Wanted>;
    isListed?: (row: Row, wanted: Wanted) => boolean;
    /** As Stripe shows it; without it as it is kept. */
    show?: (row: Row) => object;
  },
): Route {
  const { isListed = () => true, show = (row) => row } = how;
  return {
    method: 'GET',
    path,
    handle: ({ params, path: url }) => {
      const wanted = parseParams(how.params, params);
      const page = toPage(
        newestFirst(rows.values(), (row) => isListed(row, wanted)),
        wanted,
        url,
      );
      return { ...page, data: page.data.map(show) };
    },
  };
}
