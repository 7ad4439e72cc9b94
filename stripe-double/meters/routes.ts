import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { refused } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { pageParams } from '../core/list.ts';
import { expand, parseParams, refuseParams, text } from '../core/params.ts';
import { readList, readOne } from '../core/reading.ts';
import type { ApiCall, Route } from '../core/router.ts';
import { findActiveMeter, findMeter } from './meters.ts';
import type { Meter } from './schema.ts';

const createParams = z.strictObject({
  customer_mapping: z
    .strictObject({ event_payload_key: text.max(100), type: z.literal('by_id') })
    .optional(),
  default_aggregation: z.strictObject({ formula: z.enum(['sum', 'count', 'last']) }),
  display_name: text.max(250),
  event_name: text.max(100),
  event_time_window: z.enum(['day', 'hour']).optional(),
  expand,
  value_settings: z.strictObject({ event_payload_key: text.max(100) }).optional(),
});
const updateParams = z.strictObject({ display_name: text.max(250).optional(), expand });
const listParams = z.strictObject({
  ...pageParams,
  expand,
  status: z.enum(['active', 'inactive']).optional(),
});

/** Billing meters (https://docs.stripe.com/api/billing/meter). */
export function meterRoutes(account: Account): Route[] {
  const path = '/v1/billing/meters';
  return [
    { method: 'POST', path, handle: (call) => create(account, call) },
    readList(path, account.meters, {
      params: listParams,
      isListed: (meter, { status }) => status === undefined || meter.status === status,
    }),
    readOne(path, (id) => findMeter(account, id)),
    { method: 'POST', path: `${path}/:id`, handle: (call) => update(account, call) },
    {
      method: 'POST',
      path: `${path}/:id/deactivate`,
      handle: (call) => setStatus(account, call, 'inactive'),
    },
    {
      method: 'POST',
      path: `${path}/:id/reactivate`,
      handle: (call) => setStatus(account, call, 'active'),
    },
  ];
}

function create(account: Account, { params }: ApiCall): Meter {
  const given = parseParams(createParams, params);
  checkEventNameIsFree(account, given.event_name);
  const now = account.clock.nowSeconds();
  const id = newId('mtr_test', 24);
  return account.meters.put(id, {
    id,
    object: 'billing.meter',
    created: now,
    customer_mapping: given.customer_mapping ?? {
      event_payload_key: 'stripe_customer_id',
      type: 'by_id',
    },
    default_aggregation: given.default_aggregation,
    display_name: given.display_name,
    event_name: given.event_name,
    event_time_window: given.event_time_window ?? null,
    livemode: false,
    status: 'active',
    status_transitions: { deactivated_at: null },
    updated: now,
    value_settings: given.value_settings ?? { event_payload_key: 'value' },
  });
}

function update(account: Account, { params, pathIds }: ApiCall): Meter {
  const { display_name: name } = parseParams(updateParams, params);
  const meter = findMeter(account, pathIds['id']);
  const updated = account.clock.nowSeconds();
  return account.meters.put(meter.id, {
    ...meter,
    display_name: name ?? meter.display_name,
    updated,
  });
}

function setStatus(account: Account, { params, pathIds }: ApiCall, status: Meter['status']): Meter {
  refuseParams(params);
  const meter = findMeter(account, pathIds['id']);
  if (meter.status === status) return meter;
  if (status === 'active') checkEventNameIsFree(account, meter.event_name);
  const now = account.clock.nowSeconds();
  const transitions = { deactivated_at: status === 'inactive' ? now : null };
  const changed = { ...meter, status, updated: now, status_transitions: transitions };
  return account.meters.put(meter.id, changed);
}

function checkEventNameIsFree(account: Account, eventName: string): void {
  const holder = findActiveMeter(account, eventName);
  if (holder === undefined) return;
  const message = `There is already an active meter (${holder.id}) with the event name ${eventName}.`;
  throw refused(message, { code: 'resource_already_exists', param: 'event_name' });
}
