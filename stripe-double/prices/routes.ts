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
  text,
  withoutUndefined,
} from '../core/params.ts';
import { existing, readList, readOne } from '../core/reading.ts';
import type { ApiCall, Route } from '../core/router.ts';
import { createPrice } from './creation.ts';
import { claimLookupKey } from './lookup-keys.ts';
import type { Price } from './schema.ts';

const updateParams = z.strictObject({
  active: boolean.optional(),
  expand,
  lookup_key: clearableText.optional(),
  metadata: metadata.optional(),
  nickname: clearableText.optional(),
  transfer_lookup_key: boolean.optional(),
});
const listParams = z.strictObject({
  ...pageParams,
  active: boolean.optional(),
  currency: text.optional(),
  expand,
  lookup_keys: z.array(text).max(10).optional(),
  product: text.optional(),
  recurring: z
    .strictObject({
      interval: text.optional(),
      meter: text.optional(),
      usage_type: text.optional(),
    })
    .optional(),
  type: text.optional(),
});

/** Prices (https://docs.stripe.com/api/prices): per unit, one-time or recurring, licensed or metered. */
export function priceRoutes(account: Account): Route[] {
  const { prices } = account;
  return [
    { method: 'POST', path: '/v1/prices', handle: ({ params }) => createPrice(account, params) },
    readList('/v1/prices', prices, { params: listParams, isListed }),
    readOne('/v1/prices', (id) => existing(prices, 'price', id)),
    { method: 'POST', path: '/v1/prices/:id', handle: (call) => update(account, call) },
  ];
}

function update(account: Account, { params, pathIds }: ApiCall): Price {
  const given = parseParams(updateParams, params);
  const price = existing(account.prices, 'price', pathIds['id']);
  const { expand: _expand, metadata: change, transfer_lookup_key: take, ...fields } = given;
  if (typeof fields.lookup_key === 'string') {
    claimLookupKey(account, fields.lookup_key, price.id, take ?? false);
  }
  return account.prices.put(price.id, {
    ...price,
    ...withoutUndefined(fields),
    metadata: mergeMetadata(price.metadata, change),
  });
}

function isListed(price: Price, wanted: z.infer<typeof listParams>): boolean {
  const { active, currency, lookup_keys: keys, product, recurring, type } = wanted;
  return (
    (active === undefined || price.active === active) &&
    (currency === undefined || price.currency === currency) &&
    (keys === undefined || (price.lookup_key !== null && keys.includes(price.lookup_key))) &&
    (product === undefined || price.product === product) &&
    (type === undefined || price.type === type) &&
    (recurring?.interval === undefined || price.recurring?.interval === recurring.interval) &&
    (recurring?.meter === undefined || price.recurring?.meter === recurring.meter) &&
    (recurring?.usage_type === undefined || price.recurring?.usage_type === recurring.usage_type)
  );
}
