/** A live Stripe key that is kept in Secrets Manager counts as one in every program. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import Stripe from 'stripe';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startApiServer } from '../../dev/stack/api-server.ts';
import { startWorker } from '../../dev/stack/worker.ts';
import { checkStripe } from '../../cli/doctor/checks.ts';
import { Context } from '../../cli/shell/context.ts';
import { stripeTaskQueue } from '../../domain/temporal-names.ts';
import { ensureCatalog } from '../../platform/stripe-catalog.ts';
import { startStripeDouble } from '../../stripe-double/server.ts';
import { durabill } from '../cli/support.ts';
import { temporaryFolder } from '../dev/tools/fake-tool.ts';
import { startSecretsManager } from '../support/secrets-manager.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startBareTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';
import { launch } from './embedded-stack.ts';

const key = 'sk_live_ofThisTest';
const secret = 'whsec_of_this_test';
let services: Services;
let temporal: BareTemporal;
beforeAll(async () => {
  services = await startServices();
  temporal = await startBareTemporal(services);
});
afterAll(async () => {
  await temporal.stop();
  await services.stop();
});

/** The test's servers, with the key in Secrets Manager and not in the variable. */
async function liveEnvironment(): Promise<Record<string, string>> {
  const { STRIPE_SECRET_KEY: _own, DELIVERY_RATE_PER_SECOND: _rate, ...env } = services.env;
  const secrets = await startSecretsManager({ live: { STRIPE_SECRET_KEY: key } });
  return {
    ...env,
    ...secrets.env,
    STRIPE_SECRET_ID: 'live',
    STRIPE_WEBHOOK_SECRET: secret,
    TEMPORAL_ADDRESS: temporal.server.address,
    TASK_QUEUE: taskQueue,
  };
}

async function postEvent(url: string, id: string, livemode: boolean): Promise<number> {
  const object = { id: 'in_1', object: 'invoice', customer: 'cus_1' };
  const created = Math.floor(Date.now() / 1000);
  const event = { id, object: 'event', type: 'invoice.paid', livemode, created, data: { object } };
  const payload = JSON.stringify(event);
  const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret });
  const headers = { 'stripe-signature': signature, 'content-type': 'application/json' };
  const options = { method: 'POST', body: payload, headers };
  return (await fetch(`${url}/webhooks/stripe`, options)).status;
}

test('the server takes in live events and refuses those of test mode', async () => {
  const { dataDir } = services;
  const server = await startApiServer({ dataDir, env: await liveEnvironment() });
  try {
    expect(await postEvent(server.url, 'evt_live', true)).toBe(200);
    expect(await services.webhookEvents.get('evt_live')).toMatchObject({ eventId: 'evt_live' });
    expect(await postEvent(server.url, 'evt_test', false)).toBe(400);
    expect(await services.webhookEvents.get('evt_test')).toBeUndefined();
  } finally {
    await server.stop();
  }
});

test('the worker delivers at the rate of a live key', async () => {
  const { dataDir } = services;
  const worker = await startWorker({ dataDir, env: await liveEnvironment() });
  try {
    const queue = {
      namespace: 'default',
      taskQueue: { name: stripeTaskQueue(taskQueue) },
      taskQueueType: 2,
    };
    const rates = async (): Promise<unknown> => {
      const { pollers } = await temporal.client.workflowService.describeTaskQueue(queue);
      return pollers.map(({ ratePerSecond }) => ratePerSecond);
    };
    await expect.poll(rates, { timeout: 300_000, interval: 100 }).toEqual([1000]);
  } finally {
    await worker.stop();
  }
});

test('no program starts with a moved clock', async () => {
  const { dataDir } = services;
  const env = { ...(await liveEnvironment()), CLOCK_OFFSET_SECONDS: '3600' };
  const refused = 'CLOCK_OFFSET_SECONDS: goes with test keys only';
  await expect(startApiServer({ dataDir, env })).rejects.toThrow(refused);
  await expect(startWorker({ dataDir, env })).rejects.toThrow(refused);
  for (const command of ['setup', 'config', 'doctor']) {
    const run = await durabill([command], env);
    expect(run.code).toBe(1);
    expect(run.stdout + run.stderr).toContain(refused);
  }
});

test('config and doctor say that the key is a live one, and do not show it', async () => {
  const env = await liveEnvironment();
  const config = await durabill(['config', '--json'], env);
  const { variables } = JSON.parse(config.stdout) as { variables: { variable: string }[] };
  expect(variables.find(({ variable }) => variable === 'STRIPE_SECRET_KEY')).toMatchObject({
    value: 'sk_live_…',
    from: 'Secrets Manager',
  });
  expect(config.stdout + config.stderr).not.toContain(key);
  // An account of its own: the test's services have meters under other names.
  const account = await startStripeDouble({ secretKeys: [key] });
  onTestFinished(account.stop);
  const context = await Context.open({ ...env, STRIPE_API_BASE: account.url });
  const stripe = await context.stripe();
  if (stripe === undefined) throw new Error('billing is off');
  await ensureCatalog(stripe);
  expect(await checkStripe(context)).toEqual({
    state: 'ok',
    detail: 'live mode; the catalog is as it should be',
  });
  await context.close();
});

test('the embedded stack does not start with it', async () => {
  const folder = path.join(await temporaryFolder(), 'data');
  const env = { ...(await liveEnvironment()), DURABILL_DATA: folder };
  const refused = launch(['--once', '--json'], env);
  expect((await refused.exited).code).toBe(1);
  expect(JSON.parse(refused.stdout())).toMatchObject({
    ok: false,
    error: expect.stringMatching(/^STRIPE_SECRET_ID names a live key/) as unknown,
  });
  expect(refused.stdout() + refused.stderr()).not.toContain(key);
  expect(existsSync(folder)).toBe(false);
});
