import type Stripe from 'stripe';
import { z } from 'zod';
import type { Account } from '../account/account.ts';
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
import { addEndpoint, checkUrl } from './endpoints.ts';
import type { Endpoint } from './schema.ts';

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
