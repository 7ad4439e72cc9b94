/** Every variable: what it may be, what it is when it is not set, and what it means. `config.ts` reads them. */
import { z } from 'zod';
import { alertVariables } from './alert-variables.ts';

const text = z.string().min(1);
const wholeNumber = (fallback: number, from: number, to: number) =>
  z.coerce.number().int().min(from).max(to).default(fallback);
const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true');
const decimal = z.string().regex(/^[0-9]{1,9}(\.[0-9]{1,12})?$/, 'must be a decimal number');

export const variables = z.object({
  STRIPE_SECRET_KEY: text
    .regex(/^(sk|rk)_(test|live)_/, 'must begin with sk_test_, sk_live_, rk_test_ or rk_live_')
    .optional()
    .describe('Stripe secret key; without it billing is off'),
  STRIPE_PUBLISHABLE_KEY: text.optional().describe('Stripe key for the card form'),
  STRIPE_WEBHOOK_SECRET: text
    .optional()
    .describe('webhook signing secrets, comma-separated during rotation'),
  STRIPE_SECRET_ID: text
    .optional()
    .describe('AWS Secrets Manager id of {"STRIPE_SECRET_KEY": …}, instead of the variable'),
  STRIPE_ACCOUNT_ID: text
    .regex(/^acct_[A-Za-z0-9]+$/, 'must be acct_ and then letters or digits')
    .optional()
    .describe('our Stripe account, for destinations of an organization, whose events name it'),
  STRIPE_API_BASE: z.url().optional().describe('Stripe address, when it is not api.stripe.com'),
  TEMPORAL_ADDRESS: text
    .regex(/^[^\s/]+:[0-9]+$/, 'must be host:port')
    .default('127.0.0.1:7233')
    .describe('Temporal frontend, host:port'),
  TEMPORAL_NAMESPACE: text.default('default').describe('Temporal namespace'),
  TASK_QUEUE: text.default('durabill').describe('Temporal task queue'),
  AWS_REGION: text.default('us-east-1').describe('AWS region'),
  AWS_ACCESS_KEY_ID: text.optional().describe('AWS key; without it the usual AWS chain is asked'),
  AWS_SECRET_ACCESS_KEY: text.optional().describe('AWS secret key'),
  AWS_SESSION_TOKEN: text.optional().describe('AWS session token'),
  DYNAMODB_ENDPOINT: z.url().optional().describe('DynamoDB address, when it is not AWS'),
  S3_ENDPOINT: z.url().optional().describe('S3 address, when it is not AWS'),
  BUCKET: text.default('siftbeam').describe('bucket of the customers’ files'),
  TABLE_PREFIX: text
    .regex(/^[A-Za-z0-9_.-]{1,100}$/)
    .default('siftbeam-')
    .describe('put before every table name'),
  PUBLIC_URL: z.url().optional().describe('address at which Stripe and customers reach the server'),
  HOST: text.default('127.0.0.1').describe('address to listen on; 0.0.0.0 only inside a container'),
  PORT: wholeNumber(8080, 0, 65_535).describe('port of the API'),
  METRICS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('port of the server’s metrics and health, when it is not the API’s'),
  WORKER_HEALTH_PORT: wholeNumber(8081, 0, 65_535).describe(
    'port of the worker’s health and metrics',
  ),
  ADMIN_TOKEN: text
    .min(16, 'must have 16 characters or more')
    .optional()
    .describe('operators’ token'),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/, error: 'must begin with redis:// or rediss://' })
    .optional()
    .describe('Redis or Valkey that shares the rate limit'),
  COST_PER_CAST_CENTS: wholeNumber(1, 0, 1_000_000).describe('cents for a cast'),
  COST_PER_BYTE_CENTS: decimal.default('0').describe('cents for a byte, decimal'),
  RATE_LIMIT_PER_MINUTE: wholeNumber(60, 1, 1_000_000).describe('requests a minute and key'),
  BUDGET_OUTAGE: z
    .enum(['allow', 'deny'])
    .default('allow')
    .describe('casts while the tables are away'),
  BUDGET_OUTAGE_CASTS: wholeNumber(100, 0, 1_000_000).describe(
    'casts that one process lets through while the tables are away',
  ),
  BILLING_PLAN_DEFAULT: text.default('free').describe('plan of a new customer'),
  SERVER_NAME: text.optional().describe('name of this machine on the uptime page'),
  HOURLY_RATE: wholeNumber(100, 0, 100_000_000).describe('uptime per hour, minor units'),
  CURRENCY: z
    .string()
    .regex(/^[a-z]{3}$/, 'must be three small letters')
    .default('jpy')
    .describe('of uptime'),
  STORAGE_AVERAGE_OVER: z
    .enum(['recorded-days', 'calendar-days'])
    .default('recorded-days')
    .describe('what the month’s average is divided by'),
  STORAGE_LISTINGS_AT_ONCE: wholeNumber(10, 1, 1000).describe(
    'listings of objects at the same time',
  ),
  CLOCK_OFFSET_SECONDS: z.coerce
    .number()
    .int()
    .default(0)
    .describe('moves our clock, for trying a past month; with test keys only'),
  DELIVERY_RATE_PER_SECOND: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('meter events a second over all workers (25 with test keys, 1,000 with live ones)'),
  EVENT_RATE_PER_SECOND: wholeNumber(20, 1, 10_000).describe(
    'tasks that apply Stripe events, a second over all workers',
  ),
  EVENTBRIDGE_SECRET: text
    .min(16, 'must have 16 characters or more')
    .optional()
    .describe('shared secret of POST /webhooks/eventbridge'),
  ...alertVariables,
  APPLY_SCHEDULES: flag.describe('the worker applies the schedules at start'),
  WORKFLOW_BUNDLE: text.optional().describe('pre-built workflow bundle (npm run build makes one)'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('least level that is logged'),
});

/** Shown masked. */
export const secretVariables = new Set([
  'STRIPE_SECRET_KEY',
  'STRIPE_WEBHOOK_SECRET',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'ADMIN_TOKEN',
  'EVENTBRIDGE_SECRET',
  'REDIS_URL',
  // Some receivers know their sender by the address alone.
  'ALERT_WEBHOOK_URL',
  'ALERT_WEBHOOK_SECRET',
]);
