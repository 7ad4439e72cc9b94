import path from 'node:path';
import { BillingError } from '../../domain/errors.ts';
import type { Environment } from '../environment.ts';
import { writeJsonFile } from './json-file.ts';
import type { Ports } from './ports.ts';
import type { Secrets } from './secrets.ts';
import { TEMPORAL_NAMESPACE } from './temporal.ts';

/** The user's own settings that reach worker, server and CLI; connection settings never do. */
const PASSED_THROUGH = [
  'LOG_LEVEL',
  'TASK_QUEUE',
  'REDIS_URL',
  'COST_PER_CAST_CENTS',
  'COST_PER_BYTE_CENTS',
  'RATE_LIMIT_PER_MINUTE',
  'BILLING_PLAN_DEFAULT',
  'SERVER_NAME',
  'HOURLY_RATE',
  'CURRENCY',
  'STORAGE_AVERAGE_OVER',
  'STORAGE_LISTINGS_AT_ONCE',
  'DELIVERY_RATE_PER_SECOND',
  'EVENT_RATE_PER_SECOND',
  'EVENTBRIDGE_SECRET',
] as const;

/** Nothing to be polite to on one's own machine; Stripe's test mode would take 25. */
const EMBEDDED_RATES = { DELIVERY_RATE_PER_SECOND: '1000', EVENT_RATE_PER_SECOND: '500' };

/** The variables with which worker, server and CLI talk to this stack. */
export function stackEnvironment(
  ports: Ports,
  secrets: Secrets,
  environment: Environment,
): Record<string, string> {
  const own: Record<string, string> = { ...EMBEDDED_RATES };
  for (const name of PASSED_THROUGH) {
    const value = environment[name];
    if (value !== undefined && value !== '') own[name] = value;
  }
  return {
    ...own,
    ...clockOf(environment),
    STRIPE_SECRET_KEY: secrets.stripeSecretKey,
    STRIPE_WEBHOOK_SECRET: secrets.stripeWebhookSecret,
    STRIPE_API_BASE: `http://127.0.0.1:${ports.stripe}`,
    TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
    TEMPORAL_NAMESPACE,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: secrets.s3AccessKeyId,
    AWS_SECRET_ACCESS_KEY: secrets.s3SecretAccessKey,
    DYNAMODB_ENDPOINT: `http://127.0.0.1:${ports.dynamodb}`,
    S3_ENDPOINT: `http://127.0.0.1:${ports.s3}`,
    BUCKET: 'siftbeam',
    TABLE_PREFIX: 'siftbeam-',
    PORT: String(ports.api),
    PUBLIC_URL: `http://127.0.0.1:${ports.api}`,
    ADMIN_TOKEN: secrets.adminToken,
    ALERT_WEBHOOK_URL: `http://127.0.0.1:${ports.alerts}/`,
    ALERT_WEBHOOK_SECRET: secrets.alertWebhookSecret,
    APPLY_SCHEDULES: 'true',
  };
}

/** Keeps the variables where the CLI finds them (`<dataDir>/env.json`, for this user's eyes only). */
export function writeEnvironmentFile(dataDir: string, env: Record<string, string>): void {
  writeJsonFile(path.join(dataDir, 'env.json'), env);
}

/** `DURABILL_CLOCK=2026-03-01T02:30:00Z` lets the whole stack live on another day. */
function clockOf(environment: Environment): Record<string, string> {
  const clock = environment['DURABILL_CLOCK'];
  if (clock === undefined || clock === '') return {};
  const ms = Date.parse(clock);
  if (Number.isNaN(ms)) {
    throw new BillingError(
      'invalid_request',
      `DURABILL_CLOCK: "${clock}" is not a time (ISO 8601)`,
    );
  }
  return { CLOCK_OFFSET_SECONDS: String(Math.round((ms - Date.now()) / 1000)) };
}
