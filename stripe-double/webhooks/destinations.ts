import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { integer, parseParams, text } from '../core/params.ts';
import type { Route } from '../core/router.ts';
import type { Endpoint } from './schema.ts';

const listParams = z.strictObject({
  include: z.array(text).optional(),
  limit: integer.optional(),
  page: text.optional(),
});

/**
 * Event destinations, v2 (https://docs.stripe.com/api/v2/core/event-destinations): listed only. The double's
 * endpoints that take thin events are one each; the address is shown to who asks for it.
 */
export function eventDestinationRoutes(account: Account): Route[] {
  return [
    {
      method: 'GET',
      path: '/v2/core/event_destinations',
      handle: ({ params }) => {
        const { include = [] } = parseParams(listParams, params);
        const withUrl = include.includes('webhook_endpoint.url');
        const data = [...account.endpoints.values()]
          .filter(({ thin }) => thin)
          .map((endpoint) => render(endpoint, withUrl));
        return { data, next_page_url: null, previous_page_url: null };
      },
    },
  ];
}

function render({ id, created, enabled_events: enabled, status, url }: Endpoint, withUrl: boolean) {
  const at = new Date(created * 1000).toISOString();
  return {
    id: id.replace(/^we/, 'ed'),
    object: 'v2.core.event_destination',
    created: at,
    description: '',
    enabled_events: enabled,
    event_payload: 'thin',
    livemode: false,
    name: 'Offline double',
    status,
    type: 'webhook_endpoint',
    updated: at,
    webhook_endpoint: { signing_secret: null, url: withUrl ? url : null },
  };
}
