import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { isWellFormedApiKey } from '../../domain/api-keys.ts';
import { BillingError } from '../../domain/errors.ts';
import { newApiKey } from '../../platform/api-keys.ts';
import { isLive } from '../../platform/config.ts';
import { resolveStripeKey } from '../../platform/load-config.ts';
import type { Environment } from '../environment.ts';
import { readJsonFile, writeJsonFile } from './json-file.ts';

const secretsFile = z.object({
  adminToken: z.string(),
  /** One that can be no key is replaced: nothing would ever accept it. */
  demoApiKey: z.string().refine(isWellFormedApiKey).catch(newApiKey),
  s3AccessKeyId: z.string(),
  s3SecretAccessKey: z.string(),
  stripeSecretKey: z.string(),
  stripeWebhookSecret: z.string(),
  alertWebhookSecret: z.string(),
});

export type Secrets = z.infer<typeof secretsFile>;

/** The secrets of this data folder, generated on its first start and kept from then on. */
export function loadSecrets(dataDir: string): Secrets {
  const file = path.join(dataDir, 'secrets.json');
  const existing = readJsonFile(file, z.record(z.string(), z.string()));
  const secrets = secretsFile.parse({
    adminToken: random(32),
    demoApiKey: newApiKey(),
    s3AccessKeyId: `DURABILL${randomBytes(6).toString('hex').toUpperCase()}`,
    s3SecretAccessKey: random(30),
    stripeSecretKey: `sk_test_double_${alphanumeric()}`,
    stripeWebhookSecret: `whsec_${alphanumeric()}`,
    alertWebhookSecret: `whsec_${randomBytes(32).toString('base64')}`,
    ...existing,
  });
  writeJsonFile(file, secrets);
  return secrets;
}

/**
 * Test and live are never mixed: a live key has no business near a stack that makes things up, and one
 * that cannot be read might be a live one.
 */
export async function refuseLiveKeys(environment: Environment): Promise<void> {
  const own = environment['STRIPE_SECRET_KEY'] ?? '';
  const resolved = own === '' ? await resolveStripeKey(stripeAndAws(environment)) : environment;
  if (!isLive({ STRIPE_SECRET_KEY: resolved['STRIPE_SECRET_KEY'] })) return;
  const found = own === '' ? 'STRIPE_SECRET_ID names' : 'STRIPE_SECRET_KEY is';
  throw new BillingError(
    'forbidden',
    `${found} a live key, and the embedded stack never runs with one. Unset it to use the embedded ` +
      'Stripe double; to bill for real, run the worker and the server themselves.',
  );
}

/** What is wrong with other variables is reported later, with all else that is. */
function stripeAndAws(environment: Environment): Environment {
  const entries = Object.entries(environment);
  return Object.fromEntries(entries.filter(([name]) => /^(STRIPE_SECRET_|AWS_)/.test(name)));
}

function random(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

function alphanumeric(): string {
  return randomBytes(16).toString('hex');
}
