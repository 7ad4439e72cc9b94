import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { createStripeControl } from '../control.ts';
import { startStripeDouble } from '../server.ts';
import { startBilling } from './billing-support.ts';
import { startReceiver } from './receiver.ts';
import {
  createMeter,
  failureOf,
  sdkFor,
  secretKey,
  sender,
  startDouble,
  startMetering,
  temporaryDirectory,
} from './support.ts';

const root = new URL('..', import.meta.url).pathname;

/** The double as a process of its own; it is killed with the test. */
async function spawnDouble(directory: string, more: readonly string[] = []) {
  const flags = ['--port', '0', '--data', directory, '--secret-key', secretKey, ...more];
  const child = spawn(process.execPath, ['--import', 'tsx', 'main.ts', ...flags], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const match = /^stripe double listening on (http:\/\/127\.0\.0\.1:(\d+))$/.exec(line);
  const [, url = '', port = ''] = match ?? [];
  return { child, exited, control: createStripeControl(url), stripe: sdkFor(Number(port)) };
}

test('all state survives SIGKILL; SIGTERM ends it cleanly', async () => {
  const directory = temporaryDirectory();
  const first = await spawnDouble(directory);
  await first.control.setClock('2026-11-03T12:00:00Z');
  await first.control.createCustomer({ id: 'cus_1' });
  const meter = await createMeter(first.stripe, 'file_processed');
  await sender(first.stripe)({ identifier: 'p-1', value: '5' });
  await first.stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' });
  first.child.kill('SIGKILL');
  await first.exited;

  const second = await spawnDouble(directory);
  expect(await second.control.clock()).toMatchObject({ now: '2026-11-03T12:00:00.000Z' });
  expect(await second.stripe.billing.meters.retrieve(meter.id)).toMatchObject({ id: meter.id });
  expect(await second.control.total('cus_1', 'file_processed')).toBe('5');
  const duplicate = sender(second.stripe)({ identifier: 'p-1', value: '5', key: 'other' });
  expect(await failureOf(duplicate)).toMatchObject({
    message: 'An event already exists with identifier p-1.',
  });
  const replayed = await second.stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' });
  expect(replayed.lastResponse.headers['idempotent-replayed']).toBe('true');
  second.child.kill('SIGTERM');
  expect(await second.exited).toEqual([0, null]);
});

test('a torn last line is ignored, and the journal is written on behind it', async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'journal.jsonl');
  const before = await startStripeDouble({ dataDir: directory });
  const control = createStripeControl(before.url);
  await control.createCustomer({ id: 'cus_1' });
  await control.createCustomer({ id: 'cus_2' });
  await before.stop();
  truncateSync(file, readFileSync(file).length - 9);

  const { control: after, double } = await startDouble({ dataDir: directory });
  expect((await after.state()).counts.customers).toBe(1);
  await after.createCustomer({ id: 'cus_3' });
  await double.stop();
  const { stripe } = await startDouble({ dataDir: directory });
  expect((await stripe.customers.list()).data.map(({ id }) => id)).toEqual(['cus_3', 'cus_1']);
});

test('a broken line in the middle stops the start with its place', async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'journal.jsonl'), '[]\n{"half\n[]\n');
  await expect(startStripeDouble({ dataDir: directory })).rejects.toThrow('journal.jsonl:2 is not');
});

test('the start compacts: one line a row, and collections of a later version are kept', async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'journal.jsonl');
  const { control, stripe, double } = await startDouble({ dataDir: directory });
  await control.createCustomer({ id: 'cus_1' });
  for (let count = 0; count < 20; count += 1) {
    await stripe.customers.update('cus_1', { name: `name ${count}` });
  }
  await double.stop();
  const row = '[{"c":"later_resource","id":"x_1","v":{"id":"x_1"}}]\n';
  appendFileSync(file, row);
  const again = await startStripeDouble({ dataDir: directory });
  await again.stop();
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const customers = lines.filter((line) => line.includes('"c":"customers"'));
  expect(customers).toHaveLength(1);
  expect(customers[0]).toContain('name 19');
  expect(lines).toContain(row.trim());
});

test('what was removed stays removed, and the journal is still read after it', async () => {
  const directory = temporaryDirectory();
  const webhooks = ['http://127.0.0.1:9/one', 'http://127.0.0.1:9/two'].map((url) => ({
    url,
    secret: 'whsec_removed',
  }));
  const before = await startDouble({ dataDir: directory, webhooks });
  await before.control.setClock('2026-11-03T12:00:00Z');
  const product = await before.stripe.products.create({ name: 'P' }, { idempotencyKey: 'of-P' });
  await before.stripe.products.del(product.id);
  await before.control.advanceClock(25 * 60 * 60 * 1000);
  await before.stripe.products.create({ name: 'Q' }, { idempotencyKey: 'of-Q' });
  await before.double.stop();
  const file = join(directory, 'journal.jsonl');
  const changes = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => JSON.parse(line === '' ? '[]' : line) as { c: string; v?: unknown }[]);
  expect(changes.filter(({ v }) => v === undefined).map(({ c }) => c)).toEqual([
    'products',
    'idempotency',
  ]);

  const after = await startDouble({ dataDir: directory, webhooks: webhooks.slice(0, 1) });
  expect((await after.stripe.products.list()).data.map(({ name }) => name)).toEqual(['Q']);
  await after.double.stop();
  const { stripe } = await startDouble({ dataDir: directory });
  const { data } = await stripe.webhookEndpoints.list();
  expect(data.map(({ id, url }) => [id, url])).toEqual([['we_start1', webhooks[0]?.url]]);
});

test('one request is one line, its saved answer included', async () => {
  const directory = temporaryDirectory();
  const { send } = await startMetering({ dataDir: directory });
  await send({ identifier: 'p-1' });
  const lines = readFileSync(join(directory, 'journal.jsonl'), 'utf8').trim().split('\n');
  const changes = JSON.parse(lines.at(-1) ?? '') as { c: string }[];
  expect(changes.map(({ c }) => c)).toEqual(['meter_events', 'idempotency']);
});

test('a taken port is an error with its reason', async () => {
  const { double } = await startDouble();
  await expect(startStripeDouble({ port: double.port })).rejects.toThrow('EADDRINUSE');
});

test('events and undelivered webhooks survive SIGKILL, and delivery goes on', async () => {
  const directory = temporaryDirectory();
  const secret = 'whsec_journal';
  const closed = await startReceiver(secret);
  await closed.stop();
  const flags = ['--webhook', closed.url, '--webhook-secret', secret];
  const scale = ['--webhook-retry-scale', '0.0001'];
  const first = await spawnDouble(directory, [...flags, ...scale]);
  const { id } = await first.stripe.customers.create({ name: 'Ada' });
  await first.control.wait({ deliveryAttempts: 1 });
  const [event] = await first.control.stripeEvents();
  first.child.kill('SIGKILL');
  await first.exited;

  const receiver = await startReceiver(secret, { port: closed.port });
  const second = await spawnDouble(directory, [...flags, ...scale]);
  await second.control.wait({ deliveries: 1 });
  expect(receiver.received.map(receiver.verified)).toMatchObject([
    { id: event?.id, type: 'customer.created', data: { object: { id } } },
  ]);
  const [delivery] = await second.control.deliveries();
  expect(delivery?.attempts.map(({ status }) => status).at(-1)).toBe(200);
  expect(delivery?.attempts.at(0)).toMatchObject({ status: null });
  expect((await second.stripe.events.retrieve(event?.id ?? '')).pending_webhooks).toBe(0);
});

test('billing objects survive a restart', async () => {
  const directory = temporaryDirectory();
  const before = await startBilling({ dataDir: directory });
  const { id } = await before.stripe.subscriptions.create({
    customer: 'cus_1',
    items: [{ price: before.licensed.id }, { price: before.metered.id }],
  });
  const session = await before.stripe.checkout.sessions.create({
    line_items: [{ price: before.licensed.id, quantity: 1 }],
    mode: 'subscription',
    success_url: 'http://127.0.0.1/ok',
  });
  const expand = ['latest_invoice.payments.data.payment.payment_intent'];
  const known = await before.stripe.subscriptions.retrieve(id, { expand });
  const events = await before.stripe.events.list({ limit: 100 });
  await before.double.stop();
  const after = await startDouble({ dataDir: directory });
  const again = await after.stripe.subscriptions.retrieve(id, { expand });
  const withoutAddress = (value: unknown): string =>
    JSON.stringify(value).replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, '');
  expect(withoutAddress(again)).toBe(withoutAddress(known));
  expect(withoutAddress(again)).toContain('"amount_received":2000');
  const eventsAgain = await after.stripe.events.list({ limit: 100 });
  expect(withoutAddress(eventsAgain.data)).toBe(withoutAddress(events.data));
  expect(await after.control.payCheckout(session.id)).toMatchObject({ status: 'complete' });
});
