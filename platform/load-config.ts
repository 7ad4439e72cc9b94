/**
 * The configuration as every program takes it: with the Stripe key in it, wherever that is kept. Whether
 * the key is a live one decides what a webhook may say, how fast we deliver and whether the clock may be
 * moved, so nothing reads the configuration before the key is known.
 */
import { z } from 'zod';
import { BillingError } from '../domain/errors.ts';
import { awsOptions, requestHandler } from './aws-options.ts';
import { parseConfig, parseUnresolved } from './config.ts';
import type { Config, Environment } from './config.ts';

const secretSchema = z.object({ STRIPE_SECRET_KEY: z.string().min(1) });

/** Throws BillingError that lists every problem, or says why the secret cannot be read. */
export async function loadConfig(environment: Environment): Promise<Config> {
  return parseConfig(await resolveStripeKey(environment));
}

/** The same variables with `STRIPE_SECRET_KEY` from Secrets Manager, if `STRIPE_SECRET_ID` is all there is. */
export async function resolveStripeKey(environment: Environment): Promise<Environment> {
  const { STRIPE_SECRET_KEY, STRIPE_SECRET_ID, ...config } = parseUnresolved(environment);
  if (STRIPE_SECRET_KEY !== undefined || STRIPE_SECRET_ID === undefined) return environment;
  const key = await readStripeSecret(config, STRIPE_SECRET_ID);
  return { ...environment, STRIPE_SECRET_KEY: key };
}

async function readStripeSecret(
  config: Parameters<typeof awsOptions>[0],
  SecretId: string,
): Promise<string> {
  // Loaded only where it is needed: it costs each start a third of a second.
  const { GetSecretValueCommand, SecretsManagerClient } =
    await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient({ ...awsOptions(config, undefined), requestHandler });
  const { SecretString } = await client
    .send(new GetSecretValueCommand({ SecretId }))
    .catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `the secret ${SecretId} (STRIPE_SECRET_ID) cannot be read: ${reason}`;
      throw new BillingError('unavailable', message, { cause });
    })
    .finally(() => {
      client.destroy();
    });
  const secret = secretSchema.safeParse(parseJson(SecretString ?? ''));
  if (secret.success) return secret.data.STRIPE_SECRET_KEY;
  throw new BillingError(
    'invalid_request',
    `the secret ${SecretId} (STRIPE_SECRET_ID) does not hold {"STRIPE_SECRET_KEY": "…"}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
