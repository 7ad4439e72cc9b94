import type { Account } from '../account/account.ts';
import { refused } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Product } from './schema.ts';

/** Makes a product of a name, for prices that bring their product along (`product_data`). */
export function createProduct(
  account: Account,
  fields: Partial<Product> & { name: string },
): Product {
  const id = fields.id ?? newId('prod');
  if (account.products.get(id) !== undefined) {
    throw refused('Product already exists.', { code: 'resource_already_exists', param: 'id' });
  }
  const now = account.clock.nowSeconds();
  return account.products.put(id, { ...blank(id, now), ...fields, id });
}

function blank(id: string, now: number): Omit<Product, 'name'> {
  return {
    id,
    object: 'product',
    active: true,
    created: now,
    default_price: null,
    description: null,
    images: [],
    livemode: false,
    marketing_features: [],
    metadata: {},
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: 'service',
    unit_label: null,
    updated: now,
    url: null,
  };
}
