/** Runs the command line as a process, against real servers of the test's own. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { baseEnvironment, developmentEnvironment } from '../../dev/environment.ts';
import { startDynamodb } from '../../dev/stack/dynamodb.ts';
import { CHECKOUT, nodeArguments } from '../../dev/stack/node-process.ts';
import { startS3 } from '../../dev/stack/s3.ts';
import { startTemporal } from '../../dev/stack/temporal.ts';
import { createStripeControl } from '../../stripe-double/control.ts';
import type { StripeControl } from '../../stripe-double/control.ts';
import { startStripeDouble } from '../../stripe-double/server.ts';

const stripeKey = 'sk_test_durabillcli';

export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** `durabill …` with this environment and nothing of the caller's but what every process needs. */
export async function durabill(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  options: { cwd?: string; stdin?: string } = {},
): Promise<Run> {
  const child = spawn(process.execPath, [...nodeArguments('cli/main.ts'), ...args], {
    cwd: options.cwd ?? CHECKOUT,
    env: { ...baseEnvironment(developmentEnvironment()), ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end(options.stdin ?? '');
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, stdout, stderr };
}

export interface Servers {
  env: Record<string, string>;
  dataDir: string;
  control: StripeControl;
  stop(): Promise<void>;
}

/** Empty servers: no bucket, no table, no search attribute, no catalog. */
export async function startServers(): Promise<Servers> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'durabill-cli-'));
  const keys = { accessKeyId: 'durabillcli', secretAccessKey: 'durabill-cli-secret' };
  const [dynamodb, s3, temporal, stripe] = await Promise.all([
    startDynamodb({ dataDir, inMemory: true }),
    startS3({ dataDir, ...keys }),
    startTemporal({ dataDir }),
    startStripeDouble({ secretKeys: [stripeKey] }),
  ]);
  const env = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    DYNAMODB_ENDPOINT: dynamodb.url,
    S3_ENDPOINT: s3.url,
    TEMPORAL_ADDRESS: temporal.address,
    STRIPE_API_BASE: stripe.url,
    STRIPE_SECRET_KEY: stripeKey,
  };
  const stop = async (): Promise<void> => {
    await Promise.all([dynamodb.stop(), s3.stop(), temporal.stop(), stripe.stop()]);
    await rm(dataDir, { recursive: true, force: true });
  };
  return { env, dataDir, control: createStripeControl(stripe.url), stop };
}

/** Tables only. */
export async function startDynamodbServer(): Promise<Pick<Servers, 'env' | 'stop'>> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'durabill-cli-'));
  const server = await startDynamodb({ dataDir, inMemory: true });
  const env = {
    AWS_ACCESS_KEY_ID: 'durabillcli',
    AWS_SECRET_ACCESS_KEY: 'durabill-cli-secret',
    DYNAMODB_ENDPOINT: server.url,
  };
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { env, stop };
}
