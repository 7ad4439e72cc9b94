import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { StripeError } from '../core/errors.ts';
import { newestFirst } from '../core/list.ts';
import { integer, parseParams, refuseParams, text } from '../core/params.ts';
import type { ApiCall, Route } from '../core/router.ts';
import type { ThinEvent } from './event-log.ts';

const instant = z.iso.datetime({ offset: true });
const listParams = z.strictObject({
  created: z
    .strictObject({
      gt: instant.optional(),
      gte: instant.optional(),
      lt: instant.optional(),
      lte: instant.optional(),
    })
    .optional(),
  limit: integer.optional(),
  object_id: text.optional(),
  page: integer.optional(),
  types: z.array(text).max(20).optional(),
});
type Wanted = z.infer<typeof listParams>;

/** Thin events, v2 (https://docs.stripe.com/api/v2/core/events): fetched with their data. */
export function thinEventRoutes(account: Account): Route[] {
  const path = '/v2/core/events';
  return [
    { method: 'GET', path, handle: (call) => list(account, call) },
    {
      method: 'GET',
      path: `${path}/:id`,
      handle: ({ params, pathIds }) => {
        refuseParams(params);
        const event = account.events.thin.get(pathIds['id'] ?? '');
        if (event === undefined) throw notFound(pathIds['id'] ?? '');
        return render(event);
      },
    },
  ];
}

/** What a webhook carries of a thin event: everything but its data. */
export function renderNotification({ id, type, created, related_object: related }: ThinEvent) {
  return {
    id,
    object: 'v2.core.event',
    created,
    livemode: false,
    ...(related === null ? {} : { related_object: related }),
    type,
  };
}

function render(event: ThinEvent): object {
  return { ...renderNotification(event), data: event.data };
}

function list(account: Account, { params, path }: ApiCall): object {
  const wanted = parseParams(listParams, params);
  const found = newestFirst(account.events.thin.values(), (event) => isListed(event, wanted));
  const [limit, start] = [wanted.limit ?? 20, wanted.page ?? 0];
  const pageUrl = (page: number): string => `${path}?limit=${limit}&page=${page}${filters(wanted)}`;
  return {
    data: found.slice(start, start + limit).map(render),
    next_page_url: found.length > start + limit ? pageUrl(start + limit) : null,
    previous_page_url: start > 0 ? pageUrl(Math.max(0, start - limit)) : null,
  };
}

function isListed(event: ThinEvent, { created, object_id: object, types }: Wanted): boolean {
  const at = Date.parse(event.created);
  return (
    (types === undefined || types.includes(event.type)) &&
    (object === undefined || event.related_object?.id === object) &&
    (created?.gt === undefined || at > Date.parse(created.gt)) &&
    (created?.gte === undefined || at >= Date.parse(created.gte)) &&
    (created?.lt === undefined || at < Date.parse(created.lt)) &&
    (created?.lte === undefined || at <= Date.parse(created.lte))
  );
}

function filters({ created = {}, object_id: object, types = [] }: Wanted): string {
  const query = new URLSearchParams();
  for (const [index, type] of types.entries()) query.set(`types[${index}]`, type);
  for (const name of ['gt', 'gte', 'lt', 'lte'] as const) {
    const at = created[name];
    if (at !== undefined) query.set(`created[${name}]`, at);
  }
  if (object !== undefined) query.set('object_id', object);
  return query.size === 0 ? '' : `&${query.toString()}`;
}

function notFound(id: string): StripeError {
  const message = `The event was not found: ${id}.`;
  return new StripeError(404, message, { code: 'not_found', saved: true });
}
