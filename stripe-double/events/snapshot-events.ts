import type Stripe from 'stripe';
import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { apiVersion } from '../core/api-version.ts';
import { pageParams } from '../core/list.ts';
import { boolean, expand, text } from '../core/params.ts';
import { existing, readList, readOne } from '../core/reading.ts';
import type { Route } from '../core/router.ts';
import { isWithin, timeRange } from '../core/time-range.ts';
import type { SnapshotEvent } from './event-log.ts';

const listParams = z.strictObject({
  ...pageParams,
  created: timeRange,
  delivery_success: boolean.optional(),
  expand,
  type: text.optional(),
  types: z.array(text).max(20).optional(),
});

/** Events (https://docs.stripe.com/api/events). The double keeps them for good, Stripe for 30 days. */
export function eventRoutes(account: Account): Route[] {
  const { snapshots } = account.events;
  return [
    readList('/v1/events', snapshots, {
      params: listParams,
      isListed: (event, { created, delivery_success: delivered, type, types }) =>
        isWithin(event.created, created) &&
        (type === undefined || isOfType(event.type, type)) &&
        (types === undefined || types.some((each) => isOfType(event.type, each))) &&
        (delivered === undefined || (account.deliveries.undelivered(event.id) === 0) === delivered),
      show: (event) => renderEvent(account, event),
    }),
    readOne('/v1/events', (id) => renderEvent(account, existing(snapshots, 'event', id))),
  ];
}

/** An event as Stripe shows and sends it; `pending_webhooks` is of this moment. */
export function renderEvent(
  account: Account,
  { id, type, created, data, request }: SnapshotEvent,
): Stripe.EventBase {
  return {
    id,
    object: 'event',
    api_version: apiVersion,
    created,
    data: data as Stripe.EventBase['data'],
    livemode: false,
    pending_webhooks: account.deliveries.undelivered(id),
    request: request ?? { id: null, idempotency_key: null },
    type: type as Stripe.EventBase['type'],
  };
}

/** Stripe lets a filter end in `.*`. */
function isOfType(type: string, wanted: string): boolean {
  return wanted.endsWith('*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}
