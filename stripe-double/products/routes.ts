import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { refused } from '../core/errors.ts';
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
import { createProduct } from './products.ts';
import type { Product } from './schema.ts';

const changeable = {
  active: boolean.optional(),
  description: clearableText.optional(),
  expand,
  metadata: metadata.optional(),
  statement_descriptor: clearableText.optional(),
  tax_code: clearableText.optional(),
  unit_label: clearableText.optional(),
  url: clearableText.optional(),
};
const createParams = z.strictObject({ ...changeable, id: text.optional(), name: text });
const updateParams = z.strictObject({ ...changeable, name: text.optional() });
const listParams = z.strictObject({
  ...pageParams,
  active: boolean.optional(),
  expand,
  ids: z.array(text).optional(),
});

/** Products (https://docs.stripe.com/api/products), with an own id if one is given. */
export function productRoutes(account: Account): Route[] {
  const { products } = account;
  return [
    { method: 'POST', path: '/v1/products', handle: (call) => create(account, call) },
    readList('/v1/products', products, {
      params: listParams,
      isListed: (row, { active, ids }) =>
        (active === undefined || row.active === active) && (ids?.includes(row.id) ?? true),
    }),
    readOne('/v1/products', (id) => existing(products, 'product', id)),
    { method: 'POST', path: '/v1/products/:id', handle: (call) => update(account, call) },
    { method: 'DELETE', path: '/v1/products/:id', handle: (call) => remove(account, call) },
  ];
}

function create(account: Account, { params }: ApiCall): Product {
  const { expand: _expand, metadata: given, ...fields } = parseParams(createParams, params);
  return createProduct(account, {
    ...withoutUndefined(fields),
    name: fields.name,
    metadata: mergeMetadata({}, given),
  });
}

function update(account: Account, { params, pathIds }: ApiCall): Product {
  const { expand: _expand, metadata: given, ...fields } = parseParams(updateParams, params);
  const product = existing(account.products, 'product', pathIds['id']);
  return account.products.put(product.id, {
    ...product,
    ...withoutUndefined(fields),
    metadata: mergeMetadata(product.metadata, given),
    updated: account.clock.nowSeconds(),
  });
}

function remove(account: Account, { params, pathIds }: ApiCall): object {
  refuseParams(params);
  const { id } = existing(account.products, 'product', pathIds['id']);
  for (const price of account.prices.values()) {
    if (price.product === id) {
      throw refused(
        'This product cannot be deleted because it has one or more user-created prices.',
      );
    }
  }
  account.products.remove(id);
  return { id, object: 'product', deleted: true };
}
