/**
 * Carries out `domain/catalog.ts` at Stripe: looks, compares, then creates what is missing. What is
 * there and differs is reported, never changed: prices are on invoices.
 */
import Stripe from 'stripe';
import { catalog } from '../domain/catalog.ts';
import type { CatalogItem } from '../domain/catalog.ts';
import { createOnce } from './stripe-once.ts';

export interface CatalogResult {
  part: 'meter' | 'product' | 'price';
  name: string;
  id?: string;
  outcome: 'created' | 'present' | 'differs' | 'missing' | 'failed';
  /** What differs, or why it failed. */
  detail?: string;
}

/** Looks only: `missing` for what `ensureCatalog` would create. */
export async function inspectCatalog(stripe: Stripe): Promise<CatalogResult[]> {
  return await walkCatalog(stripe, false);
}

/** Idempotent. One object that fails does not stop the others. */
export async function ensureCatalog(stripe: Stripe): Promise<CatalogResult[]> {
  return await walkCatalog(stripe, true);
}

async function walkCatalog(stripe: Stripe, create: boolean): Promise<CatalogResult[]> {
  const results = catalog.map(async (item) => {
    const meter = await attempt('meter', item.meter.eventName, () => meterOf(stripe, item, create));
    const product = await attempt('product', item.product.id, () =>
      productOf(stripe, item, create),
    );
    const price = await attempt('price', item.price.lookupKey, () =>
      priceOf(stripe, item, { meter, product }, create),
    );
    return [meter, product, price];
  });
  return (await Promise.all(results)).flat();
}

type Finding = Pick<CatalogResult, 'id' | 'outcome' | 'detail'>;

async function attempt(
  part: CatalogResult['part'],
  name: string,
  look: () => Promise<Finding>,
): Promise<CatalogResult> {
  try {
    return { part, name, ...(await look()) };
  } catch (error) {
    // A key that is refused or a Stripe that is away fails everything alike: said once.
    if (error instanceof Stripe.errors.StripeConnectionError) throw error;
    if (error instanceof Stripe.errors.StripeAuthenticationError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    return { part, name, outcome: 'failed', detail };
  }
}

async function meterOf(stripe: Stripe, { meter }: CatalogItem, create: boolean): Promise<Finding> {
  // Only one active meter may have an event name; the inactive ones are history, and their number
  // tells this creation from an earlier one whose answer Stripe still remembers.
  let earlier = 0;
  for await (const found of stripe.billing.meters.list({ limit: 100 })) {
    if (found.event_name !== meter.eventName) continue;
    if (found.status !== 'active') {
      earlier += 1;
      continue;
    }
    return compare(found.id, [
      ['display_name', found.display_name, meter.displayName],
      ['formula', found.default_aggregation.formula, 'sum'],
      ['customer_mapping.type', found.customer_mapping.type, 'by_id'],
      ['customer key', found.customer_mapping.event_payload_key, 'stripe_customer_id'],
      ['value key', found.value_settings.event_payload_key, 'value'],
    ]);
  }
  if (!create) return { outcome: 'missing' };
  const created = await createOnce(
    setupKey('meter', meter.eventName, meter.displayName, earlier),
    async (idempotencyKey) =>
      await stripe.billing.meters.create(
        {
          display_name: meter.displayName,
          event_name: meter.eventName,
          default_aggregation: { formula: 'sum' },
          customer_mapping: { type: 'by_id', event_payload_key: 'stripe_customer_id' },
          value_settings: { event_payload_key: 'value' },
        },
        { idempotencyKey },
      ),
  );
  return { id: created.id, outcome: 'created' };
}

async function productOf(
  stripe: Stripe,
  { product }: CatalogItem,
  create: boolean,
): Promise<Finding> {
  const { id, name } = product;
  const found = await unlessMissing(async () => await stripe.products.retrieve(id));
  if (found !== undefined) {
    return compare(found.id, [
      ['name', found.name, name],
      ['active', found.active, true],
    ]);
  }
  if (!create) return { outcome: 'missing' };
  await createOnce(
    setupKey('product', id, name),
    async (idempotencyKey) => await stripe.products.create({ id, name }, { idempotencyKey }),
  );
  return { id, outcome: 'created' };
}

async function priceOf(
  stripe: Stripe,
  { product, price }: CatalogItem,
  needs: { meter: Finding; product: Finding },
  create: boolean,
): Promise<Finding> {
  const listed = await stripe.prices.list({ lookup_keys: [price.lookupKey], limit: 1 });
  const [found] = listed.data;
  const { unitAmountDecimal, transform } = price;
  const meterId = needs.meter.id;
  const pack = transform === undefined ? 'none' : `${transform.divideBy} ${transform.round}`;
  if (found !== undefined) return compare(found.id, priceFacts(found, product.id, price, meterId));
  if (!create) return { outcome: 'missing' };
  if (meterId === undefined) return { outcome: 'failed', detail: 'its meter is not there' };
  if (needs.product.id === undefined) {
    return { outcome: 'failed', detail: 'its product is not there' };
  }
  const created = await createOnce(
    setupKey('price', price.lookupKey, meterId, price.currency, unitAmountDecimal, pack),
    async (idempotencyKey) =>
      await stripe.prices.create(
        {
          lookup_key: price.lookupKey,
          product: product.id,
          currency: price.currency,
          unit_amount_decimal: Stripe.Decimal.from(unitAmountDecimal),
          recurring: { interval: 'month', usage_type: 'metered', meter: meterId },
          ...(transform === undefined
            ? {}
            : { transform_quantity: { divide_by: transform.divideBy, round: transform.round } }),
        },
        { idempotencyKey },
      ),
  );
  return { id: created.id, outcome: 'created' };
}

function priceFacts(
  found: Stripe.Price,
  productId: string,
  price: CatalogItem['price'],
  meterId: string | undefined,
): Fact[] {
  const product = typeof found.product === 'string' ? found.product : found.product.id;
  const { transform_quantity: transform, recurring } = found;
  return [
    ['active', found.active, true],
    ['product', product, productId],
    ['currency', found.currency, price.currency],
    ['billing_scheme', found.billing_scheme, 'per_unit'],
    ['unit_amount_decimal', String(found.unit_amount_decimal), price.unitAmountDecimal],
    ['interval', recurring?.interval, 'month'],
    ['interval_count', recurring?.interval_count, 1],
    ['usage_type', recurring?.usage_type, 'metered'],
    ['meter', recurring?.meter, meterId],
    ['divide_by', transform?.divide_by, price.transform?.divideBy],
    ['round', transform?.round, price.transform?.round],
  ];
}

type Value = string | number | boolean | null | undefined;
type Fact = [name: string, found: Value, wanted: Value];

function compare(id: string, facts: readonly Fact[]): Finding {
  const differing = facts
    .filter(([, found, wanted]) => found !== wanted)
    .map(([name, found, wanted]) => `${name} is ${show(found)}, not ${show(wanted)}`);
  if (differing.length === 0) return { id, outcome: 'present' };
  return { id, outcome: 'differs', detail: differing.join('; ') };
}

function show(value: Value): string {
  return value === undefined || value === null ? 'not set' : String(value);
}

async function unlessMissing<T>(retrieve: () => Promise<T>): Promise<T | undefined> {
  try {
    return await retrieve();
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError && error.code === 'resource_missing') {
      return undefined;
    }
    throw error;
  }
}

/** Event name, product id and lookup key are unique at Stripe besides, so nothing is made twice. */
function setupKey(...facts: readonly (string | number)[]): string {
  return `durabill-setup/${facts.join('/')}`;
}
