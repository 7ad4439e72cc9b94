/** Alerts on a real Temporal server: raised by real activities, sent by the workflow to a real receiver. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alertOf } from '../../domain/alerts.ts';
import { workflowIds } from '../../domain/ids.ts';
import { createReceiver } from '../../platform/alert-receiver.ts';
import { createRaiseAlert } from '../../platform/alerts.ts';
import type { RaiseAlert } from '../../platform/alerts.ts';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { applySchedules } from '../../platform/schedules.ts';
import { receiverSecret, startTestReceiver } from '../support/alert-receiver.ts';
import type { TestReceiver } from '../support/alert-receiver.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startTestTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';

let services: Services;
let receiver: TestReceiver;
let temporal: BareTemporal;
let raiseAlert: RaiseAlert;
beforeAll(async () => {
  services = await startServices();
  receiver = await startTestReceiver();
  temporal = await startTestTemporal(services, {
    alertReceiver: createReceiver({ url: receiver.url, secrets: [receiverSecret] }),
    raiseAlert: async (alert) => {
      await raiseAlert(alert);
    },
  });
  raiseAlert = raisingAt(() => new Date());
});
afterAll(async () => {
  await temporal.stop();
  await receiver.stop();
  await services.stop();
});

function raisingAt(now: () => Date): RaiseAlert {
  return createRaiseAlert({
    isSent: true,
    keep: services.alerts.put,
    announce: temporal.engine.announceAlert,
    logger: createLogger('test', 'silent'),
    metrics: createMetrics(),
    now,
  });
}

const patience = { timeout: 300_000, interval: 100 };
const ofLine = (customerId: string) =>
  receiver.received.filter(({ body }) => body.data.customerId === customerId);

test('GA16 a job of a customer that Stripe does not know: its dead letter is told of outside', async () => {
  const customerId = 'cus_unknownAtStripe';
  await services.putFile(customerId, 'a.txt', 'some content');
  await temporal.engine.startProcessing({ processingId: 'unknown', customerId, files: ['a.txt'] });
  await expect.poll(() => ofLine(customerId).length, patience).toBe(1);
  const [one] = ofLine(customerId);
  expect(one?.body).toMatchObject({
    type: 'alert.dead_letter_opened',
    data: { customerId, facts: { deadLetterId: 'usage-rejected/unknown' } },
  });
  expect(one?.id).toBe(one?.body.data.id);
  // The sender ends when its line is empty.
  const sender = temporal.client.workflow.getHandle(workflowIds.sendAlerts(customerId));
  expect(await sender.result()).toEqual({ sent: 1, exhausted: 0 });
});

test('GA16 eight at once of two kinds: one POST a kind, the first one first; other customers beside them', async () => {
  // A time of its own: no window ends while the test runs.
  const at = new Date('2026-11-26T06:00:00.000Z');
  const raising = (second: number) => raisingAt(() => new Date(at.getTime() + second * 1000));
  const [first, second] = ['cus_lineOne', 'cus_lineTwo'];
  await raising(0)({ kind: 'payment_failed', customerId: first, facts: { invoiceId: 'in_1' } });
  await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      const customerId = index % 2 === 0 ? first : second;
      const facts = { deadLetterId: `webhook-event/evt_${index}` };
      await raising(index + 1)({ kind: 'dead_letter_opened', customerId, facts });
      await raising(index + 1)({ kind: 'payment_failed', customerId, facts: {} });
    }),
  );
  const waiting = async () => [
    await services.alerts.first(first),
    await services.alerts.first(second),
  ];
  await expect.poll(waiting, patience).toEqual([undefined, undefined]);
  expect(ofLine(first).map(({ body }) => body.data.kind)).toEqual([
    'payment_failed',
    'dead_letter_opened',
  ]);
  expect(
    ofLine(second)
      .map(({ body }) => body.data.kind)
      .toSorted(),
  ).toEqual(['dead_letter_opened', 'payment_failed']);
});

test('GA16 kept and never announced: the schedule’s sweep sends it without anyone’s help', async () => {
  const customerId = 'cus_forgottenAlert';
  const minutesAgo = new Date(Date.now() - 120_000);
  await services.alerts.put(alertOf({ kind: 'payment_failed', customerId, facts: {} }, minutesAgo));
  await applySchedules(temporal.client, taskQueue);
  await temporal.client.schedule.getHandle('sweep-alerts').trigger();
  await expect.poll(() => ofLine(customerId).length, patience).toBe(1);
});

test('GA16 a receiver that is away: the line waits and goes on by itself, in its order', async () => {
  const customerId = 'cus_receiverAway';
  let refusals = 1;
  receiver.answer = (response, { body }) => {
    const isRefused = body.data.customerId === customerId && refusals > 0;
    if (isRefused) refusals -= 1;
    response.writeHead(isRefused ? 503 : 200).end();
  };
  await raiseAlert({ kind: 'payment_failed', customerId, facts: { invoiceId: 'in_1' } });
  await raiseAlert({ kind: 'dead_letter_opened', customerId, facts: {} });
  await expect.poll(() => ofLine(customerId).length, patience).toBe(3);
  expect(ofLine(customerId).map(({ body }) => body.data.kind)).toEqual([
    'payment_failed',
    'payment_failed',
    'dead_letter_opened',
  ]);
});
