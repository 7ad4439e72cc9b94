/** The whole configuration: one schema, parsed once, all problems reported together. */
import type { z } from 'zod';
import { BillingError } from '../domain/errors.ts';
import { lacksAlertSecret } from './alert-variables.ts';
import { secretVariables, variables } from './variables.ts';

const schema = variables
  .refine((config) => config.CLOCK_OFFSET_SECONDS === 0 || !isLive(config), {
    path: ['CLOCK_OFFSET_SECONDS'],
    message: 'goes with test keys only',
  })
  .refine(({ PORT, METRICS_PORT }) => PORT === 0 || METRICS_PORT !== PORT, {
    path: ['METRICS_PORT'],
    message: 'must be another port than PORT',
  })
  .refine((config) => !lacksAlertSecret(config), {
    path: ['ALERT_WEBHOOK_SECRET'],
    message: 'is needed with ALERT_WEBHOOK_URL',
  });

export type Config = z.output<typeof variables>;
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The process's environment: the only place that reads it. The AWS SDK's advice to move to Node 22 is
 * kept out of every command's stderr on Node 20, which we support (README, "Versions").
 */
export function readEnvironment(): Environment {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  return process.env;
}

/**
 * Throws BillingError `invalid_request` that lists every problem, one to a line. The Stripe key must be
 * in the environment: `loadConfig` (load-config.ts) puts it there from wherever it is kept.
 */
export function parseConfig(environment: Environment): Config {
  const config = parseUnresolved(environment);
  if (config.STRIPE_SECRET_KEY === undefined && config.STRIPE_SECRET_ID !== undefined) {
    throw new Error('the Stripe key is not resolved: load the configuration by loadConfig');
  }
  return config;
}

/** For `loadConfig` alone: of a configuration whose Stripe key may yet be in Secrets Manager. */
export function parseUnresolved(environment: Environment): Config {
  const parsed = schema.safeParse(withoutEmpty(environment));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `  ${issue.path.join('.')}: ${issue.message}`,
  );
  throw new BillingError(
    'invalid_request',
    `the configuration has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${problems.join('\n')}`,
  );
}

export interface VariableReport {
  variable: string;
  /** What is in force, secrets masked; empty when nothing is. */
  value: string;
  from: 'environment' | 'Secrets Manager' | 'default' | 'not set';
  problem?: string;
  meaning: string;
}

/**
 * Every variable with its value, where that comes from, and what is wrong with it. `resolved` holds what
 * came from Secrets Manager besides.
 */
export function reportConfig(
  environment: Environment,
  resolved: Environment = environment,
): VariableReport[] {
  const given = withoutEmpty(resolved);
  const problems = new Map(
    schema.safeParse(given).error?.issues.map((issue) => [issue.path[0], issue.message]),
  );
  const defaults: Record<string, unknown> = schema.parse({});
  return Object.entries(variables.shape).map(([variable, shape]) => {
    const own = given[variable];
    const fallback = defaults[variable];
    const problem = problems.get(variable);
    const absent = fallback === undefined ? 'not set' : 'default';
    return {
      variable,
      value: own === undefined ? show(fallback) : mask(variable, own),
      from:
        own === undefined
          ? absent
          : (environment[variable] ?? '') === ''
            ? 'Secrets Manager'
            : 'environment',
      ...(problem === undefined ? {} : { problem }),
      meaning: shape.description ?? '',
    };
  });
}

/** Stripe takes 1,000 meter events a second live and 25 in test mode (Stripe, rate limits). */
export function deliveryRatePerSecond(config: Config): number {
  return config.DELIVERY_RATE_PER_SECOND ?? (isLive(config) ? 1000 : 25);
}

const shortestSecret = 8;

/** The time as this process is to see it. */
export function createClock(config: Config): () => Date {
  const offsetMs = config.CLOCK_OFFSET_SECONDS * 1000;
  return () => new Date(Date.now() + offsetMs);
}

/** Whether our Stripe key moves real money. */
export function isLive(config: Pick<Config, 'STRIPE_SECRET_KEY'>): boolean {
  return /^(sk|rk)_live_/.test(config.STRIPE_SECRET_KEY ?? '');
}

/** What is hidden wherever it would be logged. A shorter one would also be hidden where it is a word. */
export function secretsOf(config: Config): string[] {
  const values = Object.entries(config).flatMap(([variable, value]) =>
    secretVariables.has(variable) && typeof value === 'string' ? [value, ...value.split(',')] : [],
  );
  return [...new Set(values)].filter((value) => value.length >= shortestSecret);
}

function show(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function mask(variable: string, value: string): string {
  if (!secretVariables.has(variable)) return value;
  return value.length > 16 ? `${value.slice(0, 8)}…` : '…';
}

function withoutEmpty(environment: Environment): Record<string, string> {
  const known = Object.keys(variables.shape);
  return Object.fromEntries(
    known.flatMap((name) => {
      const value = environment[name];
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
}
