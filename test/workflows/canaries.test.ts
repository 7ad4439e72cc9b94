/**
 * I10: what Stripe tells us of a customer and what a job meets go on to no history, log, metric or alert.
 * Real events, real workflows and a real receiver; then all that they left outside the tables is searched.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createReceiver } from '../../platform/alert-receiver.ts';
import { createRaiseAlert } from '../../platform/alerts.ts';
import type { RaiseAlert } from '../../platform/alerts.ts';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { linesOf } from '../server/support.ts';
import { receiverSecret, startTestReceiver } from '../support/alert-receiver.ts';
import type { TestReceiver } from '../support/alert-receiver.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { createStripeStories } from '../support/stripe-stories.ts';
import { startTestTemporal } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';
import { startWebhookServer } from '../support/webhook-server.ts';
import type { WebhookServer } from '../support/webhook-server.ts';

const canaries = {
  email: 'anna.canary+1@example.com',
  newEmail: 'anna.canary+2@example.com',
  card: '4242424242424242',
  stripeKey: ['sk', 'live', 'canary51HexampleOfAKey'].join('_'),
  signingSecret: ['whsec', 'canaryOfAWebhook'].join('_'),
};
const customerId = 'cus_canary';
const patience = { timeout: 300_000, interval: 100 };

const { destination, lines } = linesOf();
const logger = createLogger('worker', 'debug', destination);
const metrics = createMetrics();
let services: Services;
let receiver: TestReceiver;
let temporal: BareTemporal;
let server: WebhookServer;
let raiseAlert: RaiseAlert;
beforeAll(async () => {
  services = await startServices();
  receiver = await startTestReceiver();
  temporal = await startTestTemporal(services, {
    alertReceiver: createReceiver({ url: receiver.url, secrets: [receiverSecret] }),
    raiseAlert: async (alert) => {
      await raiseAlert(alert);
    },
    logger,
    metrics,
  });
  raiseAlert = createRaiseAlert({
    isSent: true,
    keep: services.alerts.put,
    announce: temporal.engine.announceAlert,
    logger,
    metrics,
    now: () => new Date(),
  });
  server = await startWebhookServer(services, temporal.engine);
});
afterAll(async () => {
  await server.stop();
  await temporal.stop();
  await receiver.stop();
  await services.stop();
});

/** Every history there is: payloads as the words they encode, and all else as it stands. */
async function allHistories(): Promise<{ types: Set<string>; texts: string[] }> {
  const types = new Set<string>();
  const texts: string[] = [];
  for await (const { workflowId, runId, type } of temporal.client.workflow.list()) {
    types.add(type);
    const history = await temporal.client.workflow.getHandle(workflowId, runId).fetchHistory();
    texts.push(
      JSON.stringify(history, (_name, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
      ),
    );
  }
  return { types, texts };
}

test('I10 a customer’s address, card and secrets are in no history, log, metric or alert', async () => {
  const { control, stripe } = services;
  const stories = createStripeStories(services);
  const metadata = { card: canaries.card, key: canaries.stripeKey, hook: canaries.signingSecret };
  await control.createCustomer({ id: customerId, email: canaries.email, metadata });
  await stripe.customers.update(customerId, {
    email: canaries.newEmail,
    description: canaries.card,
  });
  const invoice = await stories.openInvoice(customerId, 500);
  await stories.refuseInvoice(customerId, invoice);
  // Jobs that fail, one of them with a word of a file that a log would repeat.
  const [unknown, absent] = ['cus_nobodyKnows', customerId];
  await services.putFile(unknown, 'a.txt', 'some content');
  await temporal.engine.startProcessing({
    processingId: 'unknown',
    customerId: unknown,
    files: ['a.txt'],
  });
  await temporal.engine.startProcessing({
    processingId: 'absent',
    customerId: absent,
    files: ['b.txt'],
  });

  const told = () => new Set(receiver.received.map(({ body }) => body.data.kind));
  await expect.poll(told, patience).toEqual(new Set(['payment_failed', 'dead_letter_opened']));
  await expect
    .poll(async () => (await services.customers.get(customerId))?.email, patience)
    .toBe(canaries.newEmail);
  await expect
    .poll(async () => (await services.processings.get('absent'))?.status, patience)
    .toBe('failed');

  const started = ['customer', 'deliverUsage', 'processFiles', 'sendAlerts'];
  const seen = async () => [...(await allHistories()).types].toSorted();
  await expect.poll(seen, patience).toEqual(started);
  const { texts } = await allHistories();
  const outside = [
    ...texts,
    ...lines,
    ...receiver.received.flatMap((one) => [one.text, JSON.stringify(one.headers)]),
    await metrics.registry.metrics(),
  ];
  expect(outside.join('')).toContain(customerId);
  for (const canary of Object.values(canaries)) {
    expect(outside.filter((text) => text.includes(canary))).toEqual([]);
  }
});
