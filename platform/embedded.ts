/** Where the connection settings come from: the environment, or the embedded stack that runs here. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { BillingError } from '../domain/errors.ts';
import type { Environment } from './config.ts';

/** Any one of these says that the caller knows where to connect. */
const connectionVariables = [
  'TEMPORAL_ADDRESS',
  'DYNAMODB_ENDPOINT',
  'S3_ENDPOINT',
  'STRIPE_SECRET_KEY',
  'STRIPE_SECRET_ID',
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
] as const;

const environmentFile = z.record(z.string(), z.string());
const stackFile = z.object({
  api: z.string(),
  temporalUi: z.string(),
  pid: z.number().int(),
});

export interface Settings {
  environment: Environment;
  /** There when the settings are those of the embedded stack. */
  embedded?: { dataDir: string; api: string; temporalUi: string };
}

/**
 * The environment as it is when it holds connection settings; otherwise that of the embedded stack in
 * `DURABILL_DATA` (`.durabill`). Throws BillingError `unavailable` when no stack runs there.
 */
export function resolveSettings(environment: Environment): Settings {
  if (connectionVariables.some((name) => (environment[name] ?? '') !== '')) return { environment };
  const folder = environment['DURABILL_DATA'] ?? '';
  const dataDir = path.resolve(folder === '' ? '.durabill' : folder);
  const stack = readJson(path.join(dataDir, 'stack.json'), stackFile);
  const own = readJson(path.join(dataDir, 'env.json'), environmentFile);
  if (stack === undefined || own === undefined || !isAlive(stack.pid)) throw noStack(dataDir);
  const { api, temporalUi } = stack;
  return { environment: mix(environment, own), embedded: { dataDir, api, temporalUi } };
}

/** The stack's settings; of the caller's own only what cannot lead elsewhere. */
function mix(environment: Environment, own: Record<string, string>): Environment {
  const elsewhere = /^(TEMPORAL_|AWS_|STRIPE_|TABLE_PREFIX$|BUCKET$)/;
  const harmless = Object.entries(environment).filter(([name]) => !elsewhere.test(name));
  const logLevel = environment['LOG_LEVEL'] ?? '';
  return {
    ...Object.fromEntries(harmless),
    ...own,
    ...(logLevel === '' ? {} : { LOG_LEVEL: logLevel }),
  };
}

function noStack(dataDir: string): BillingError {
  return new BillingError(
    'unavailable',
    `no stack is running here (${dataDir}): start one with \`npm start\`, or set ` +
      'TEMPORAL_ADDRESS, AWS credentials and STRIPE_SECRET_KEY to use another ' +
      '(`durabill config` lists every variable)',
  );
}

function readJson<T>(file: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

/** A stack that crashed leaves its file behind. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It runs, as another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
