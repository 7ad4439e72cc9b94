import { z } from 'zod';
import { chargeSchema } from '../charges/schema.ts';
import { checkoutSessionSchema } from '../checkout/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { Store } from '../core/store.ts';
import { creditNoteSchema } from '../credit-notes/schema.ts';
import { customerSchema } from '../customers/schema.ts';
import { disputeSchema } from '../disputes/schema.ts';
import type { RecordedEvent } from '../events/event-log.ts';
import { EventLog } from '../events/event-log.ts';
import { invoiceItemSchema } from '../invoice-items/schema.ts';
import { invoiceSchema } from '../invoices/schema.ts';
import { MeterLedger } from '../meter-events/ledger.ts';
import { meterSchema } from '../meters/schema.ts';
import { paymentIntentSchema } from '../payment-intents/schema.ts';
import { paymentMethodSchema } from '../payment-methods/schema.ts';
import { portalSessionSchema } from '../portal/schema.ts';
import { priceSchema } from '../prices/schema.ts';
import { productSchema } from '../products/schema.ts';
import { subscriptionSchema } from '../subscriptions/schema.ts';
import { Deliveries } from '../webhooks/deliveries.ts';
import { endpointSchema } from '../webhooks/schema.ts';

const clockSchema = z.object({ frozenAtMs: z.number().nullable(), offsetMs: z.number() });

type Collections = ReturnType<typeof openCollections>;

/** Everything that Stripe would keep for one account. */
export type Account = Collections & {
  clock: Clock;
  store: Store;
  deliveries: Deliveries;
  events: EventLog;
  ledger: MeterLedger;
  /** Where the double is, for the addresses of its pages. */
  origin: () => string;
  /** Keeps the clock's present setting for after a restart. */
  saveClock: () => void;
};

type Surroundings = {
  identifierMemoryMs: number;
  origin: () => string;
  recorded: (event: RecordedEvent) => void;
};

/** Opens the account's collections. The clock comes back first: the rest depends on the time. */
export function openAccount(store: Store, clock: Clock, around: Surroundings): Account {
  const clocks = store.open('clock', clockSchema);
  const kept = clocks.get('clock');
  if (kept !== undefined) clock.restore(kept);
  return {
    ...openCollections(store),
    clock,
    store,
    deliveries: new Deliveries(store, clock),
    events: new EventLog(store, clock, around.recorded),
    ledger: new MeterLedger(store, clock, around.identifierMemoryMs),
    origin: around.origin,
    saveClock: () => {
      clocks.put('clock', clock.setting);
    },
  };
}

/** The collections by their names. A new resource adds its own here. */
function openCollections(store: Store) {
  return {
    charges: store.open('charges', chargeSchema),
    checkoutSessions: store.open('checkout_sessions', checkoutSessionSchema),
    creditNotes: store.open('credit_notes', creditNoteSchema),
    customers: store.open('customers', customerSchema),
    disputes: store.open('disputes', disputeSchema),
    endpoints: store.open('webhook_endpoints', endpointSchema),
    invoiceItems: store.open('invoice_items', invoiceItemSchema),
    invoices: store.open('invoices', invoiceSchema),
    meters: store.open('meters', meterSchema),
    paymentIntents: store.open('payment_intents', paymentIntentSchema),
    paymentMethods: store.open('payment_methods', paymentMethodSchema),
    portalSessions: store.open('portal_sessions', portalSessionSchema),
    prices: store.open('prices', priceSchema),
    products: store.open('products', productSchema),
    subscriptions: store.open('subscriptions', subscriptionSchema),
  };
}
