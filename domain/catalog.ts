/** What `durabill setup` makes at Stripe (page 1, "Stripe side"): meters, products and prices. */
import type { Meter } from './usage.ts';

export interface CatalogItem {
  meter: { eventName: Meter; displayName: string };
  product: { id: string; name: string };
  price: {
    lookupKey: string;
    currency: 'usd';
    /** Cents, as a decimal string. */
    unitAmountDecimal: string;
    /** Units divided into packs before pricing; what is left of a pack is rounded as `round` says. */
    transform?: { divideBy: number; round: 'up' | 'down' };
  };
}

/** 1 GB = 2^30 bytes. */
const bytesPerGigabyte = 1_073_741_824;

export const catalog: readonly CatalogItem[] = [
  {
    meter: { eventName: 'file_processed', displayName: 'File Processing (Bytes)' },
    product: { id: 'durabill_file_processing', name: 'File Processing' },
    // $0.00001 per byte = 0.001 cents.
    price: {
      lookupKey: 'durabill_file_processing_monthly',
      currency: 'usd',
      unitAmountDecimal: '0.001',
    },
  },
  {
    meter: { eventName: 'storage-usage', displayName: 'Storage (Bytes)' },
    product: { id: 'durabill_storage', name: 'Storage' },
    // $0.10 per GB begun: Stripe's transform rounds a part of a GB up.
    price: {
      lookupKey: 'durabill_storage_monthly',
      currency: 'usd',
      unitAmountDecimal: '10',
      transform: { divideBy: bytesPerGigabyte, round: 'up' },
    },
  },
];

export function catalogItem(meter: Meter): CatalogItem {
  const item = catalog.find(({ meter: { eventName } }) => eventName === meter);
  if (item === undefined) throw new Error(`the catalog has no meter ${meter}`);
  return item;
}
