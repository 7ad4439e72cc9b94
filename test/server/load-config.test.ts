/** The Stripe key is known before anything reads the configuration, wherever it is kept. */
import { expect, test } from 'vitest';
import { deliveryRatePerSecond, isLive, parseConfig, reportConfig } from '../../platform/config.ts';
import { loadConfig } from '../../platform/load-config.ts';
import { startSecretsManager } from '../support/secrets-manager.ts';

const held = {
  live: { STRIPE_SECRET_KEY: 'sk_live_abc' },
  restricted: { STRIPE_SECRET_KEY: 'rk_live_abc' },
  test: { STRIPE_SECRET_KEY: 'sk_test_abc' },
  publishable: { STRIPE_SECRET_KEY: 'pk_live_abc' },
  other: { KEY: 'sk_live_abc' },
};

async function keptIn(id: string): Promise<Record<string, string>> {
  const { env } = await startSecretsManager(held);
  return { ...env, STRIPE_SECRET_ID: id };
}

test.for([
  ['live', true, 1000],
  ['restricted', true, 1000],
  ['test', false, 25],
] as const)('a %s key in Secrets Manager: live %s, %i a second', async ([id, live, rate]) => {
  const config = await loadConfig(await keptIn(id));
  expect(config.STRIPE_SECRET_KEY).toBe(held[id].STRIPE_SECRET_KEY);
  expect(isLive(config)).toBe(live);
  expect(deliveryRatePerSecond(config)).toBe(rate);
});

test('a moved clock goes with a test key in Secrets Manager, and is refused with a live one', async () => {
  const moved = { CLOCK_OFFSET_SECONDS: '3600' };
  const config = await loadConfig({ ...(await keptIn('test')), ...moved });
  expect(config.CLOCK_OFFSET_SECONDS).toBe(3600);
  for (const id of ['live', 'restricted']) {
    await expect(loadConfig({ ...(await keptIn(id)), ...moved })).rejects.toThrow(
      'CLOCK_OFFSET_SECONDS: goes with test keys only',
    );
  }
  expect(() => parseConfig({ STRIPE_SECRET_KEY: 'sk_live_abc', ...moved })).toThrow(
    'CLOCK_OFFSET_SECONDS: goes with test keys only',
  );
});

test('the variable goes first, and then nobody is asked', async () => {
  const secrets = await startSecretsManager(held);
  const both = { ...secrets.env, STRIPE_SECRET_ID: 'live', STRIPE_SECRET_KEY: 'sk_test_mine' };
  expect(isLive(await loadConfig(both))).toBe(false);
  expect(isLive(await loadConfig(secrets.env))).toBe(false);
  expect(secrets.asked).toEqual([]);
  await loadConfig({ ...secrets.env, STRIPE_SECRET_ID: 'live' });
  expect(secrets.asked).toEqual(['live']);
});

test('a secret that is missing, of another shape or no key of ours is said, never repeated', async () => {
  const load = async (id: string) => await loadConfig(await keptIn(id));
  await expect(load('gone')).rejects.toMatchObject({
    code: 'unavailable',
    message: 'the secret gone (STRIPE_SECRET_ID) cannot be read: no such secret',
  });
  await expect(load('other')).rejects.toMatchObject({
    code: 'invalid_request',
    message: 'the secret other (STRIPE_SECRET_ID) does not hold {"STRIPE_SECRET_KEY": "…"}',
  });
  const error = await load('publishable').catch((caught: unknown) => String(caught));
  expect(error).toContain('STRIPE_SECRET_KEY: must begin with sk_test_');
  expect(error).not.toContain('pk_live_abc');
});

test('a configuration is never read with its key unknown', () => {
  expect(() => parseConfig({ STRIPE_SECRET_ID: 'live' })).toThrow('load the configuration by');
});

const alertSecret = `whsec_${'A'.repeat(43)}=`;

test.each([
  ['an address alone', { ALERT_WEBHOOK_SECRET: '' }, 'is needed with ALERT_WEBHOOK_URL'],
  ['metadata', { ALERT_WEBHOOK_URL: 'http://169.254.169.254/latest' }, 'metadata address'],
  ['metadata, written otherwise', { ALERT_WEBHOOK_URL: 'http://2852039166/' }, 'metadata address'],
  ['link-local', { ALERT_WEBHOOK_URL: 'https://[fe80::1]/' }, 'link-local'],
  ['another protocol', { ALERT_WEBHOOK_URL: 'file:///etc/passwd' }, 'http or https'],
  ['an empty secret', { ALERT_WEBHOOK_SECRET: 'whsec_' }, 'whsec_ and 24 to 64 bytes'],
  ['a short one', { ALERT_WEBHOOK_SECRET: 'whsec_QUJD' }, 'whsec_ and 24 to 64 bytes'],
  ['one of two', { ALERT_WEBHOOK_SECRET: `${alertSecret},other` }, 'whsec_ and 24 to 64 bytes'],
])('GA16 alerts are not configured by %s', (_name, changes, problem) => {
  const both = { ALERT_WEBHOOK_URL: 'https://alerts.example', ALERT_WEBHOOK_SECRET: alertSecret };
  expect(() => parseConfig({ ...both, ...changes })).toThrow(problem);
});

test('GA16 alerts: a name, a private or our own address will do, and both variables are masked', () => {
  for (const url of ['https://alerts.example/x', 'http://127.0.0.1:9/', 'http://10.0.0.1/']) {
    const env = { ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: `${alertSecret},${alertSecret}` };
    expect(parseConfig(env).ALERT_WEBHOOK_URL).toBe(url);
    const shown = reportConfig(env).filter(({ variable }) => variable.startsWith('ALERT_'));
    const values = shown.map(({ value }) => value);
    expect(values).toEqual([url.length > 16 ? `${url.slice(0, 8)}…` : '…', 'whsec_AA…']);
  }
});
