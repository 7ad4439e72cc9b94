import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import { startAlertReceiver } from '../../../dev/stack/alert-receiver.ts';
import { pickFreePort } from '../../../dev/stack/free-port.ts';
import { alertBody, alertOf } from '../../../domain/alerts.ts';
import { createReceiver } from '../../../platform/alert-receiver.ts';

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

async function setUp() {
  const lines: string[] = [];
  const port = await pickFreePort();
  const show = (line: string) => {
    lines.push(line);
  };
  const { stop } = await startAlertReceiver({ port, secret, show });
  onTestFinished(stop);
  return { lines, url: `http://127.0.0.1:${port}/` };
}

test('GA16 the stack’s receiver shows what it verified, one line each, and a repeat not again', async () => {
  const { lines, url } = await setUp();
  const { post } = createReceiver({ url, secrets: [secret] });
  const facts = { deadLetterId: 'usage-rejected/prc_1', deadLetterKind: 'usage-rejected' };
  const letter = { kind: 'dead_letter_opened', customerId: 'cus_1', facts } as const;
  const halted = { kind: 'delivery_halted', facts: {} } as const;
  for (const raised of [letter, halted, letter]) {
    const alert = alertOf(raised, new Date(0));
    expect(await post({ id: alert.alertId, body: alertBody(alert) })).toEqual({ status: 204 });
  }
  expect(lines).toEqual([
    'Alert: work was laid aside for a person ' +
      '(cus_1, deadLetterId usage-rejected/prc_1, deadLetterKind usage-rejected)',
    'Alert: delivery to Stripe is halted',
  ]);
});

test('GA16 what another secret signed, or nobody, is refused and not shown', async () => {
  const { lines, url } = await setUp();
  const other = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;
  const alert = alertOf({ kind: 'delivery_halted', facts: {} }, new Date(0));
  const message = { id: alert.alertId, body: alertBody(alert) };
  const { post } = createReceiver({ url, secrets: [other] });
  expect(await post(message)).toEqual({ status: 401 });
  expect((await fetch(url, { method: 'POST', body: message.body })).status).toBe(401);
  const old = new Date(Date.now() - 600_000);
  const headers = {
    'webhook-id': message.id,
    'webhook-timestamp': String(Math.floor(old.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(message.id, old, message.body),
  };
  const replayed = await fetch(url, { method: 'POST', body: message.body, headers });
  expect([replayed.status, lines]).toEqual([401, []]);
});
