import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import type { Collection, Store } from '../core/store.ts';
import type { Customer } from './customers.ts';
import { customerSchema } from './customers.ts';
import { MeterLedger } from './meter-ledger.ts';
import type { Meter } from './meters.ts';
import { meterSchema } from './meters.ts';
import type { Price } from './prices.ts';
import { priceSchema } from './prices.ts';
import type { Product } from './products.ts';
import { productSchema } from './products.ts';

const clockSchema = z.object({ frozenAtMs: z.number().nullable(), offsetMs: z.number() });

/** Everything that Stripe would keep for one account. A new resource adds its collection here. */
export type Account = {
  clock: Clock;
  store: Store;
  customers: Collection<Customer>;
  products: Collection<Product>;
  prices: Collection<Price>;
  meters: Collection<Meter>;
  ledger: MeterLedger;
  /** Keeps the clock's present setting for after a restart. */
  saveClock: () => void;
};

/** Opens the account's collections. The clock comes back first: the rest depends on the time. */
export function openAccount(store: Store, clock: Clock, identifierMemoryMs: number): Account {
  const clocks = store.open('clock', clockSchema);
  const kept = clocks.get('clock');
  if (kept !== undefined) clock.restore(kept);
  return {
    clock,
    store,
    customers: store.open('customers', customerSchema),
    products: store.open('products', productSchema),
    prices: store.open('prices', priceSchema),
    meters: store.open('meters', meterSchema),
    ledger: new MeterLedger(store, clock, identifierMemoryMs),
    saveClock: () => {
      clocks.put('clock', clock.setting);
    },
  };
}
