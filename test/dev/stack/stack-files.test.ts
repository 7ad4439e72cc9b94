import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { isWellFormedApiKey } from '../../../domain/api-keys.ts';
import { PORT_SETTINGS } from '../../../dev/stack/ports.ts';
import type { Ports } from '../../../dev/stack/ports.ts';
import { loadSecrets, refuseLiveKeys } from '../../../dev/stack/secrets.ts';
import { stackEnvironment, writeEnvironmentFile } from '../../../dev/stack/stack-environment.ts';
import {
  describeStack,
  readStackFile,
  removeStackFile,
  writeStackFile,
} from '../../../dev/stack/stack-file.ts';
import { DYNAMIC_CONFIG } from '../../../dev/stack/temporal-config.ts';
import { temporalArguments } from '../../../dev/stack/temporal.ts';
import { startSecretsManager } from '../../support/secrets-manager.ts';
import { temporaryFolder } from '../tools/fake-tool.ts';

const ports = Object.fromEntries(
  Object.entries(PORT_SETTINGS).map(([name, { defaultPort }]) => [name, defaultPort]),
) as Record<keyof Ports, number>;
let dataDir = '';
beforeEach(async () => {
  dataDir = await temporaryFolder();
});

async function readJson(name: string): Promise<unknown> {
  return JSON.parse(await readFile(path.join(dataDir, name), 'utf8')) as unknown;
}

test('stack.json has exactly the documented fields, and goes at the end', async () => {
  const secrets = loadSecrets(dataDir);
  const stack = describeStack(ports, secrets);
  writeStackFile(dataDir, stack);
  expect(await readJson('stack.json')).toEqual({
    api: 'http://127.0.0.1:8080',
    temporal: '127.0.0.1:7233',
    temporalUi: 'http://127.0.0.1:8233',
    dynamodb: 'http://127.0.0.1:8000',
    s3: 'http://127.0.0.1:7070',
    stripe: 'http://127.0.0.1:12111',
    alerts: 'http://127.0.0.1:8090',
    adminToken: secrets.adminToken,
    demo: { customerId: 'cus_DemoAurora', apiKey: secrets.demoApiKey },
    pid: process.pid,
  });
  expect(readStackFile(dataDir)).toEqual(stack);
  removeStackFile(dataDir);
  expect(readStackFile(dataDir)).toBeUndefined();
});

test('secrets are generated once, look like what they are, and only their user may read them', async () => {
  const secrets = loadSecrets(dataDir);
  expect(loadSecrets(dataDir)).toEqual(secrets);
  expect(loadSecrets(await temporaryFolder())).not.toEqual(secrets);
  expect(isWellFormedApiKey(secrets.demoApiKey)).toBe(true);
  expect(secrets.stripeSecretKey).toMatch(/^sk_test_double_[0-9a-f]{32}$/);
  expect(secrets.stripeWebhookSecret).toMatch(/^whsec_[0-9a-f]{32}$/);
  expect(Buffer.from(secrets.alertWebhookSecret.slice(6), 'base64')).toHaveLength(32);
  writeEnvironmentFile(dataDir, {});
  for (const name of ['secrets.json', 'env.json']) {
    expect((await stat(path.join(dataDir, name))).mode & 0o777).toBe(0o600);
  }
});

test('a secret that an older version did not know is added, the others stay', async () => {
  const old = { adminToken: 'kept' };
  await writeFile(path.join(dataDir, 'secrets.json'), JSON.stringify(old));
  const secrets = loadSecrets(dataDir);
  expect(secrets.adminToken).toBe('kept');
  expect(secrets.stripeSecretKey).toMatch(/^sk_test_double_/);
});

test('GA6 a demo key that can be no key is replaced once, and the others stay', async () => {
  const old = { adminToken: 'kept', demoApiKey: 'dbk_of-an-older-version' };
  await writeFile(path.join(dataDir, 'secrets.json'), JSON.stringify(old));
  const secrets = loadSecrets(dataDir);
  expect(isWellFormedApiKey(secrets.demoApiKey)).toBe(true);
  expect(secrets.adminToken).toBe('kept');
  expect(loadSecrets(dataDir)).toEqual(secrets);
});

test("the environment names this stack; of the user's own only settings pass, never connections", () => {
  const secrets = loadSecrets(dataDir);
  const env = stackEnvironment(ports, secrets, {
    LOG_LEVEL: 'debug',
    CURRENCY: '',
    AWS_SESSION_TOKEN: 'theirs',
    STRIPE_SECRET_KEY: 'sk_test_theirs',
    TEMPORAL_ADDRESS: 'cloud:7233',
  });
  expect(env).toEqual({
    LOG_LEVEL: 'debug',
    DELIVERY_RATE_PER_SECOND: '1000',
    EVENT_RATE_PER_SECOND: '500',
    STRIPE_SECRET_KEY: secrets.stripeSecretKey,
    STRIPE_WEBHOOK_SECRET: secrets.stripeWebhookSecret,
    STRIPE_API_BASE: 'http://127.0.0.1:12111',
    TEMPORAL_ADDRESS: '127.0.0.1:7233',
    TEMPORAL_NAMESPACE: 'default',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: secrets.s3AccessKeyId,
    AWS_SECRET_ACCESS_KEY: secrets.s3SecretAccessKey,
    DYNAMODB_ENDPOINT: 'http://127.0.0.1:8000',
    S3_ENDPOINT: 'http://127.0.0.1:7070',
    BUCKET: 'siftbeam',
    TABLE_PREFIX: 'siftbeam-',
    PORT: '8080',
    PUBLIC_URL: 'http://127.0.0.1:8080',
    ADMIN_TOKEN: secrets.adminToken,
    ALERT_WEBHOOK_URL: 'http://127.0.0.1:8090/',
    ALERT_WEBHOOK_SECRET: secrets.alertWebhookSecret,
    APPLY_SCHEDULES: 'true',
  });
  const slower = stackEnvironment(ports, secrets, { DELIVERY_RATE_PER_SECOND: '5' });
  expect(slower['DELIVERY_RATE_PER_SECOND']).toBe('5');
});

test('a live key refuses to start, in the variable and in Secrets Manager alike', async () => {
  for (const key of ['sk_live_abc', 'rk_live_abc']) {
    await expect(refuseLiveKeys({ STRIPE_SECRET_KEY: key })).rejects.toThrow('never runs with one');
  }
  await refuseLiveKeys({ STRIPE_SECRET_KEY: 'sk_test_abc' });
  await refuseLiveKeys({});
  const secrets = await startSecretsManager({
    live: { STRIPE_SECRET_KEY: 'rk_live_abc' },
    test: { STRIPE_SECRET_KEY: 'sk_test_abc' },
  });
  const keptThere = (STRIPE_SECRET_ID: string) => ({ ...secrets.env, STRIPE_SECRET_ID });
  await expect(refuseLiveKeys(keptThere('live'))).rejects.toThrow(
    /^STRIPE_SECRET_ID names a live key, and the embedded stack never runs with one/,
  );
  await refuseLiveKeys(keptThere('test'));
  // What cannot be read might be a live one.
  await expect(refuseLiveKeys(keptThere('gone'))).rejects.toThrow('cannot be read');
});

test('the temporal CLI gets the same settings as the server from the module', async () => {
  const withUi = await temporalArguments({ isTemporalCli: true }, dataDir, 7233, {
    uiPort: 8233,
  });
  expect(withUi.slice(0, -Object.keys(DYNAMIC_CONFIG).length)).toEqual([
    'server',
    'start-dev',
    '--ip=127.0.0.1',
    '--port=7233',
    `--db-filename=${dataDir}/temporal-cli.db`,
    '--sqlite-pragma=journal_mode=wal',
    '--sqlite-pragma=synchronous=1',
    '--log-level=error',
    '--ui-ip=127.0.0.1',
    '--ui-port=8233',
    '--ui-disable-news-fetch',
  ]);
  expect(withUi).toContain(
    '--dynamic-config-value=system.forceSearchAttributesCacheRefreshOnRead=true',
  );
  const without = await temporalArguments({ isTemporalCli: true }, dataDir, 7233);
  expect(without).toContain('--headless');
});
