/** The client of Stripe, built once a process. Retrying is Temporal's job, in one layer. */
import Stripe from 'stripe';
import type { Config } from './config.ts';

/** Below the 15 s that a sending activity may take. */
const stripeTimeoutMs = 10_000;

/** Undefined when there is no key: billing is off. */
export function createStripe(config: Config): Stripe | undefined {
  const key = config.STRIPE_SECRET_KEY;
  if (key === undefined) return undefined;
  const base = config.STRIPE_API_BASE === undefined ? undefined : new URL(config.STRIPE_API_BASE);
  const secure = base?.protocol === 'https:';
  return new Stripe(key, {
    maxNetworkRetries: 0,
    timeout: stripeTimeoutMs,
    telemetry: false,
    appInfo: { name: 'durabill' },
    ...(base === undefined
      ? {}
      : {
          host: base.hostname,
          port: base.port === '' ? (secure ? 443 : 80) : Number(base.port),
          protocol: secure ? ('https' as const) : ('http' as const),
        }),
  });
}
