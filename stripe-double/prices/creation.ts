import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { invalidParameter, noSuch, refused } from '../core/errors.ts';
import type { FormObject } from '../core/form.ts';
import { newId } from '../core/ids.ts';
import {
  boolean,
  clearableText,
  expand,
  integer,
  mergeMetadata,
  metadata,
  parseParams,
  text,
} from '../core/params.ts';
import { createProduct } from '../products/products.ts';
import { claimLookupKey } from './lookup-keys.ts';
import type { Price } from './schema.ts';

const createParams = z.strictObject({
  active: boolean.optional(),
  billing_scheme: z.literal('per_unit').optional(),
  currency: z.string().regex(/^[a-zA-Z]{3}$/),
  expand,
  lookup_key: text.max(200).optional(),
  metadata: metadata.optional(),
  nickname: clearableText.optional(),
  product: text.optional(),
  product_data: z
    .strictObject({ id: text.optional(), name: text, metadata: metadata.optional() })
    .optional(),
  recurring: z
    .strictObject({
      interval: z.enum(['day', 'week', 'month', 'year']),
      interval_count: integer.optional(),
      meter: text.optional(),
      usage_type: z.enum(['licensed', 'metered']).optional(),
    })
    .optional(),
  tax_behavior: z.enum(['exclusive', 'inclusive', 'unspecified']).optional(),
  transfer_lookup_key: boolean.optional(),
  transform_quantity: z
    .strictObject({ divide_by: integer, round: z.enum(['up', 'down']) })
    .optional(),
  unit_amount: integer.optional(),
  unit_amount_decimal: text.optional(),
});
type Given = z.infer<typeof createParams>;

/** Stripe keeps at most 12 decimal places of `unit_amount_decimal`. */
const amountPattern = /^\d+(?:\.\d{1,12})?$/;

/** Creates a price; a metered one must name an active meter (Stripe since 2025-03-31.basil). */
export function createPrice(account: Account, params: FormObject): Price {
  const given = parseParams(createParams, params);
  const amount = amountOf(given);
  const recurring = recurringOf(account, given);
  checkProduct(account, given);
  const id = newId('price', 24);
  if (given.lookup_key !== undefined) {
    claimLookupKey(account, given.lookup_key, id, given.transfer_lookup_key ?? false);
  }
  return account.prices.put(id, {
    id,
    object: 'price',
    active: given.active ?? true,
    billing_scheme: 'per_unit',
    created: account.clock.nowSeconds(),
    currency: given.currency.toLowerCase(),
    custom_unit_amount: null,
    livemode: false,
    lookup_key: given.lookup_key ?? null,
    metadata: mergeMetadata({}, given.metadata),
    nickname: given.nickname ?? null,
    product: productOf(account, given),
    recurring,
    tax_behavior: given.tax_behavior ?? 'unspecified',
    tiers_mode: null,
    transform_quantity: given.transform_quantity ?? null,
    type: recurring === null ? 'one_time' : 'recurring',
    unit_amount: /^\d+$/.test(amount) ? Number(amount) : null,
    unit_amount_decimal: amount,
  });
}

function amountOf(given: Given): string {
  const { unit_amount: whole, unit_amount_decimal: decimal } = given;
  if (whole !== undefined && decimal !== undefined) {
    const message =
      'You may only specify one of these parameters: unit_amount, unit_amount_decimal.';
    throw invalidParameter('unit_amount', message, 'parameters_exclusive');
  }
  const amount = decimal ?? (whole === undefined ? undefined : String(whole));
  if (amount === undefined) {
    const message = 'Missing required param: unit_amount.';
    throw invalidParameter('unit_amount', message, 'parameter_missing');
  }
  if (!amountPattern.test(amount)) {
    const name = decimal === undefined ? 'unit_amount' : 'unit_amount_decimal';
    throw invalidParameter(name, `Invalid decimal: ${amount}; at most 12 decimal places`);
  }
  return amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount;
}

function recurringOf(account: Account, { recurring }: Given): Price['recurring'] {
  if (recurring === undefined) return null;
  const usageType = recurring.usage_type ?? 'licensed';
  const param = 'recurring[meter]';
  if (usageType === 'metered' && recurring.meter === undefined) {
    throw invalidParameter(param, 'Metered prices must name a meter.', 'parameter_missing');
  }
  if (usageType === 'licensed' && recurring.meter !== undefined) {
    throw invalidParameter(param, 'A meter needs `recurring[usage_type]=metered`.');
  }
  if (recurring.meter !== undefined) {
    const meter = account.meters.get(recurring.meter);
    if (meter === undefined) throw noSuch('meter', recurring.meter, param, 400);
    if (meter.status !== 'active') throw refused(`Meter ${meter.id} is not active.`, { param });
  }
  return {
    interval: recurring.interval,
    interval_count: recurring.interval_count ?? 1,
    meter: recurring.meter ?? null,
    trial_period_days: null,
    usage_type: usageType,
  };
}

function checkProduct(account: Account, { product, product_data: data }: Given): void {
  if ((product === undefined) === (data === undefined)) {
    const message = 'You must specify either `product` or `product_data` when creating a price.';
    throw invalidParameter('product', message, 'parameter_missing');
  }
  if (product !== undefined && account.products.get(product) === undefined) {
    throw noSuch('product', product, 'product', 400);
  }
}

function productOf(account: Account, { product, product_data: data }: Given): string {
  if (product !== undefined) return product;
  return createProduct(account, {
    name: data?.name ?? '',
    ...(data?.id === undefined ? {} : { id: data.id }),
    metadata: mergeMetadata({}, data?.metadata),
  }).id;
}
