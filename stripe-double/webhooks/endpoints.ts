import type Stripe from 'stripe';
import { z } from 'zod';
import { invalidParameter } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { pageParams } from '../core/list.ts';
import {
  boolean,
  clearableText,
  expand,
  mergeMetadata,
  metadata,
  parseParams,
  refuseParams,
  text,
  withoutUndefined,
} from '../core/params.ts';
import { existing, readList, readOne } from '../core/reading.ts';
import type { ApiCall, Route } from '../core/router.ts';
import type { Account } from '../resources/account.ts';

export const endpointSchema = z.object({
  id: z.string(),
  created: z.int(),
  description: z.string().nullable(),
  enabled_events: z.array(z.string()),
  metadata: z.record(z.string(), z.string()),
  secret: z.string(),
  status: z.enum(['enabled', 'disabled']),
  url: z.string(),
  /** Whether thin events come here too. At Stripe that takes an event destination of its own. */
  thin: z.boolean(),
});
export type Endpoint = z.infer<typeof endpointSchema>;

const changeable = {
  description: clearableText.optional(),
  expand,
  metadata: metadata.optional(),
};
const createParams = z.strictObject({
  ...changeable,
  api_version: text.optional(),
  enabled_events: z.array(text).min(1),
  url: text,
});
const updateParams = z.strictObject({
  ...changeable,
  disabled: boolean.optional(),
  enabled_events: z.array(text).min(1).optional(),
  url: text.optional(),
});
const listParams = z.strictObject({ ...pageParams, expand });

/** Webhook endpoints (https://docs.stripe.com/api/webhook_endpoints), on this machine only. */
export function webhookEndpointRoutes(account: Account): Route[] {
  const path = '/v1/webhook_endpoints';
  const one = `${path}/:id`;
  return [
    { method: 'POST', path, handle: (call) => create(account, call) },
    readList(path, account.endpoints, { params: listParams, show: renderEndpoint }),
    readOne(path, (id) => renderEndpoint(found(account, id))),
    { method: 'POST', path: one, handle: (call) => update(account, call) },
    {
      method: 'DELETE',
      path: one,
      handle: ({ params, pathIds }) => {
        refuseParams(params);
        const { id } = found(account, pathIds['id']);
        account.endpoints.remove(id);
        return { id, object: 'webhook_endpoint', deleted: true };
      },
    },
  ];
}

export type WantedEndpoint = {
  id?: string | undefined;
  url: string;
  enabledEvents: string[];
  secret?: string | undefined;
  thin: boolean;
};

/** Adds an endpoint; under a known id it takes that one's place, and its pending deliveries. */
export function addEndpoint(account: Account, wanted: WantedEndpoint): Endpoint {
  checkUrl(wanted.url);
  const id = wanted.id ?? newId('we', 24);
  return account.endpoints.put(id, {
    id,
    created: account.clock.nowSeconds(),
    description: null,
    enabled_events: wanted.enabledEvents,
    metadata: {},
    secret: wanted.secret ?? newId('whsec', 32),
    status: 'enabled',
    url: wanted.url,
    thin: wanted.thin,
  });
}

/** Whether an endpoint asked for events of this type. */
export function wantsEvent(
  { enabled_events: enabled, status, thin }: Endpoint,
  event: { type: string; isThin: boolean },
): boolean {
  if (status === 'disabled' || (event.isThin && !thin)) return false;
  return enabled.includes('*') || enabled.includes(event.type);
}

function create(account: Account, { params }: ApiCall): object {
  const given = parseParams(createParams, params);
  const { enabled_events: enabledEvents, url } = given;
  const endpoint = addEndpoint(account, { url, enabledEvents, thin: false });
  const described = account.endpoints.put(endpoint.id, {
    ...endpoint,
    description: given.description ?? null,
    metadata: mergeMetadata({}, given.metadata),
  });
  return { ...renderEndpoint(described), secret: endpoint.secret };
}

function update(account: Account, { params, pathIds }: ApiCall): object {
  const {
    expand: _expand,
    disabled,
    metadata: given,
    ...fields
  } = parseParams(updateParams, params);
  const endpoint = found(account, pathIds['id']);
  if (fields.url !== undefined) checkUrl(fields.url);
  const status = disabled === undefined ? endpoint.status : disabled ? 'disabled' : 'enabled';
  const changed = account.endpoints.put(endpoint.id, {
    ...endpoint,
    ...withoutUndefined(fields),
    metadata: mergeMetadata(endpoint.metadata, given),
    status,
  });
  return renderEndpoint(changed);
}

function found(account: Account, id: string | undefined): Endpoint {
  return existing(account.endpoints, 'webhook endpoint', id);
}

/** The double never speaks to another machine. */
function checkUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'http:' && parsed.hostname === '127.0.0.1') return;
  throw invalidParameter(
    'url',
    `Invalid URL: the offline double delivers to http://127.0.0.1 only, not to ${url}.`,
    'url_invalid',
  );
}

function renderEndpoint(endpoint: Endpoint): Stripe.WebhookEndpoint {
  const { secret: _secret, thin: _thin, ...shown } = endpoint;
  return {
    ...shown,
    object: 'webhook_endpoint',
    api_version: null,
    application: null,
    livemode: false,
  };
}
