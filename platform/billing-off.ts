/** What billing lacks, said once when a process starts (page 0); everything else works without it. */
import type { Config } from './config.ts';

type Need = 'STRIPE_SECRET_KEY' | 'STRIPE_WEBHOOK_SECRET';

const withoutIt: Readonly<Record<Need, string>> = {
  STRIPE_SECRET_KEY: 'billing is off: set STRIPE_SECRET_KEY (or STRIPE_SECRET_ID)',
  STRIPE_WEBHOOK_SECRET: 'Stripe’s webhooks are refused: set STRIPE_WEBHOOK_SECRET',
};

/** `needs`: what this process would use. Nothing is said where nothing is missing. */
export function warnOfMissing(
  config: Pick<Config, Need>,
  logger: { warn: (facts: { missing: string[] }, message: string) => void },
  needs: readonly Need[],
): void {
  const missing = needs.filter((name) => config[name] === undefined);
  if (missing.length === 0) return;
  logger.warn({ missing }, missing.map((name) => withoutIt[name]).join('; '));
}
