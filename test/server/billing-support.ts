/** The guarded API with a Stripe double of the test's own, which has our catalog. */
import { onTestFinished } from 'vitest';
import { createStripe } from '../../platform/stripe.ts';
import { parseConfig } from '../../platform/config.ts';
import { ensureCatalog } from '../../platform/stripe-catalog.ts';
import { createStripeControl } from '../../stripe-double/control.ts';
import { startStripeDouble } from '../../stripe-double/server.ts';
import type { DoubleOptions } from '../../stripe-double/double.ts';
import type { TableStore } from '../../tables/dynamo.ts';
import { openTables } from '../../tables/open.ts';
import { createApi } from './api-server.ts';

const secretKey = 'sk_test_billing';

export async function startStripe(options: DoubleOptions = {}) {
  const double = await startStripeDouble({ secretKeys: [secretKey], ...options });
  onTestFinished(double.stop);
  const env = { STRIPE_SECRET_KEY: secretKey, STRIPE_API_BASE: double.url };
  const stripe = createStripe(parseConfig(env));
  if (stripe === undefined) throw new Error('the test configuration has no Stripe key');
  return { stripe, control: createStripeControl(double.url), env };
}

interface Changes {
  now?: () => Date;
  publicUrl?: string | undefined;
  hasCatalog?: boolean;
  isOff?: boolean;
}

export async function createBillingApi(store: TableStore, changes: Changes = {}) {
  const { now = () => new Date(), hasCatalog = true, isOff = false } = changes;
  const { stripe, control, env } = await startStripe({ now: () => now().getTime() });
  if (hasCatalog) await ensureCatalog(stripe);
  const tables = openTables({ ...store, now });
  const publicUrl = Object.hasOwn(changes, 'publicUrl')
    ? changes.publicUrl
    : 'https://durabill.example';
  const api = await createApi(store, {
    now,
    billing: { ...tables, stripe: isOff ? undefined : stripe, publicUrl },
    customers: {
      ...tables,
      stripe: isOff ? undefined : stripe,
      account: tables,
      plan: 'free',
      now,
    },
  });
  /** Known to us, with a key, and to Stripe. */
  const payer = async (customerId: string) => {
    await control.createCustomer({ id: customerId });
    return await api.customer(customerId);
  };
  const open = async (customer: string) =>
    (await stripe.checkout.sessions.list({ customer, status: 'open', limit: 100 })).data;
  return { ...api, stripe, control, env, payer, open };
}
