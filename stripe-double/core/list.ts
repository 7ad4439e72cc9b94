import { z } from 'zod';
import { invalidParameter, noSuch } from './errors.ts';
import { integer, text } from './params.ts';

/** The parameters of every list (https://docs.stripe.com/api/pagination). */
export const pageParams = {
  limit: integer.optional(),
  starting_after: text.optional(),
  ending_before: text.optional(),
};

const pageSchema = z.object(pageParams);
export type PageParams = z.infer<typeof pageSchema>;

/** Stripe's list. `url` is the path that was asked. */
export type StripeList<Item> = { object: 'list'; data: Item[]; has_more: boolean; url: string };

/**
 * One page of `items`, which come newest first. The cursors are ids; `limit` is 1 to 100, 10 when
 * absent. An unknown cursor is `resource_missing`, as at Stripe.
 */
export function toPage<Item extends { id: string }>(
  items: readonly Item[],
  params: PageParams,
  url: string,
): StripeList<Item> {
  const limit = params.limit ?? 10;
  if (limit < 1 || limit > 100) {
    throw invalidParameter('limit', 'Limit must be between 1 and 100', 'parameter_invalid_integer');
  }
  if (params.ending_before !== undefined) {
    const end = positionOf(items, params.ending_before, 'ending_before');
    const start = Math.max(0, end - limit);
    return { object: 'list', data: items.slice(start, end), has_more: start > 0, url };
  }
  const start =
    params.starting_after === undefined
      ? 0
      : positionOf(items, params.starting_after, 'starting_after') + 1;
  const end = start + limit;
  return { object: 'list', data: items.slice(start, end), has_more: items.length > end, url };
}

/** Rows newest first, those that `wanted` accepts. */
export function newestFirst<Item>(
  rows: Iterable<Item>,
  wanted: (row: Item) => boolean = () => true,
): Item[] {
  return [...rows].filter((row) => wanted(row)).reverse();
}

function positionOf(items: readonly { id: string }[], id: string, param: string): number {
  const position = items.findIndex((item) => item.id === id);
  if (position === -1) throw noSuch('object', id, param, 400);
  return position;
}
