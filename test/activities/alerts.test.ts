import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import type { Counter } from 'prom-client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { createActivities } from '../../activities/index.ts';
import { alertOf } from '../../domain/alerts.ts';
import type { RaisedAlert } from '../../domain/alerts.ts';
import { createReceiver } from '../../platform/alert-receiver.ts';
import { createRaiseAlert } from '../../platform/alerts.ts';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import type { Resolve } from '../../platform/outside-address.ts';
import { receiverSecret, startTestReceiver } from '../support/alert-receiver.ts';
import type { TestReceiver } from '../support/alert-receiver.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

let services: Services;
let receiver: TestReceiver;
beforeAll(async () => {
  services = await startServices();
  receiver = await startTestReceiver();
});
afterAll(async () => {
  await receiver.stop();
  await services.stop();
});
afterEach(() => {
  receiver.received.length = 0;
  receiver.answer = (response) => response.writeHead(204).end();
});

const raisedAt = new Date('2026-11-26T06:00:00.000Z');
let customers = 0;
const newCustomer = () => `cus_alert${(customers += 1)}`;
const failed = (customerId: string, facts = { invoiceId: 'in_1' }): RaisedAlert => ({
  kind: 'payment_failed',
  customerId,
  facts,
});

/** What a counter has counted, by its one label. */
async function counted(counter: Counter): Promise<[string | number | undefined, number][]> {
  const { values } = await counter.get();
  return values
    .filter(({ value }) => value > 0)
    .map(({ labels, value }) => [Object.values(labels)[0], value]);
}

interface Changes {
  url?: string;
  resolve?: Resolve;
  timeoutMs?: number;
  secrets?: string[];
  now?: Date;
}

/** Activities that post to the receiver, with what they logged and counted. */
function posting({ now = raisedAt, ...options }: Changes = {}) {
  const lines = new PassThrough();
  let logged = '';
  lines.on('data', (chunk) => (logged += String(chunk)));
  const metrics = createMetrics();
  const alertReceiver = createReceiver({
    url: receiver.url,
    secrets: [receiverSecret],
    ...options,
  });
  const changes: Partial<Dependencies> = {
    alertReceiver,
    metrics,
    logger: createLogger('test', 'info', lines),
    now: () => now,
  };
  const { deps, told } = createTestDependencies(services, changes);
  const sent = async (outcome: string) => {
    const { values } = await metrics.alertsSent.get();
    return values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
  };
  return { activities: createActivities(deps), deps, told, sent, logged: () => logged };
}

/** An alert of a customer of its own, kept and waiting. */
async function waiting(customerId = newCustomer()) {
  const alert = alertOf(failed(customerId), raisedAt);
  await services.alerts.put(alert);
  return alert;
}

describe('GA16 one POST', () => {
  test('GA16 signed by Standard Webhooks, taken with a 2xx, settled; then nothing waits', async () => {
    const { line, alertId } = await waiting();
    const { activities, sent } = posting();
    expect(await activities.sendNextAlert({ line })).toEqual({ state: 'sent' });
    expect(await activities.sendNextAlert({ line })).toEqual({ state: 'none' });
    const [one] = receiver.received;
    expect(receiver.received).toHaveLength(1);
    expect([one?.id, one?.method, one?.path]).toEqual([alertId, 'POST', '/alerts']);
    expect(one?.headers['content-type']).toBe('application/json');
    expect(one?.body.data).toMatchObject({ id: alertId, customerId: line });
    expect((await services.alerts.get({ line, alertId }))?.status).toBe('sent');
    expect(await sent('sent')).toBe(1);
  });

  test('GA16 while a secret is rotated, either one verifies it', async () => {
    const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const first = await waiting();
    await posting({ secrets: [other, receiverSecret] }).activities.sendNextAlert(first);
    expect(receiver.received).toHaveLength(1);
    const second = await waiting();
    const attempt = await posting({ secrets: [other] }).activities.sendNextAlert(second);
    expect(attempt).toMatchObject({ state: 'failed', error: 'the receiver answered 401' });
  });

  test('GA16 500, then 200: the same id, and it is sent', async () => {
    const { line, alertId } = await waiting();
    const { activities, sent } = posting();
    receiver.answer = (response) => response.writeHead(500, { 'retry-after': '120' }).end();
    expect(await activities.sendNextAlert({ line })).toEqual({
      state: 'failed',
      alertId,
      error: 'the receiver answered 500',
      patienceMs: 259_200_000,
      retryAfterMs: 120_000,
    });
    receiver.answer = (response) => response.writeHead(200).end('ok');
    expect(await activities.sendNextAlert({ line })).toEqual({ state: 'sent' });
    expect(receiver.received.map(({ id }) => id)).toEqual([alertId, alertId]);
    expect([await sent('failed'), await sent('sent')]).toEqual([1, 1]);
  });

  test('GA16 a worker that dies after its POST sends it once more, under the same id', async () => {
    const { line, alertId } = await waiting();
    const { deps } = posting();
    const died = {
      ...deps,
      alerts: { ...deps.alerts, settle: async () => await Promise.reject(new Error('died')) },
    };
    await expect(createActivities(died).sendNextAlert({ line })).rejects.toThrow('died');
    await createActivities(deps).sendNextAlert({ line });
    expect(receiver.received.map(({ id }) => id)).toEqual([alertId, alertId]);
  });

  test.each([301, 302, 303, 307, 308])(
    'GA16 a redirect (%i) is no delivery, and nobody follows it',
    async (status) => {
      const { line } = await waiting();
      receiver.answer = (response) =>
        response.writeHead(status, { location: `${receiver.url}/elsewhere` }).end();
      const attempt = await posting().activities.sendNextAlert({ line });
      expect(attempt).toMatchObject({ state: 'failed', error: `the receiver answered ${status}` });
      expect(receiver.received.map(({ path }) => path)).toEqual(['/alerts']);
    },
  );

  test.each([
    [400, 259_200_000],
    [404, 259_200_000],
    [429, 259_200_000],
    [410, 0],
  ])('GA16 after a %i it may be tried for %i ms more', async (status, patienceMs) => {
    const { line } = await waiting();
    receiver.answer = (response) => response.writeHead(status).end();
    expect(await posting().activities.sendNextAlert({ line })).toMatchObject({ patienceMs });
  });

  test('GA16 one that does not answer is left after the timeout', async () => {
    const { line } = await waiting();
    receiver.answer = () => undefined;
    const attempt = await posting({ timeoutMs: 300 }).activities.sendNextAlert({ line });
    expect(attempt).toMatchObject({ state: 'failed', error: 'no answer within 0.3 s' });
  });

  test('GA16 an answer without an end is not read', async () => {
    const { line } = await waiting();
    receiver.answer = (response) => {
      response.writeHead(200);
      response.write('x'.repeat(100_000));
    };
    expect(await posting().activities.sendNextAlert({ line })).toEqual({ state: 'sent' });
  });

  test.each(['HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n', 'no HTTP at all', ''])(
    'GA16 an answer that is none ends the wait: %j',
    async (said) => {
      const { line } = await waiting();
      const server = createServer((socket) => {
        socket.on('error', () => undefined).resume();
        socket.end(said);
      });
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      const { port } = server.address() as AddressInfo;
      const { activities } = posting({ url: `http://127.0.0.1:${port}/`, timeoutMs: 600_000 });
      expect(await activities.sendNextAlert({ line })).toMatchObject({ state: 'failed' });
      await new Promise((resolve) => server.close(resolve));
    },
  );

  test('GA16 nobody listens: a failure like any other', async () => {
    const { line } = await waiting();
    const gone = await startTestReceiver();
    await gone.stop();
    const attempt = await posting({ url: gone.url }).activities.sendNextAlert({ line });
    expect(attempt).toMatchObject({ state: 'failed', patienceMs: 259_200_000 });
    expect(attempt).toHaveProperty('error', expect.stringContaining('ECONNREFUSED'));
  });

  test('GA16 after three days it was its last try, and giving it up is a log line and a metric', async () => {
    const { line, alertId } = await waiting();
    receiver.answer = (response) => response.writeHead(500).end();
    const now = new Date(raisedAt.getTime() + 259_200_000);
    const { activities, sent, logged } = posting({ now });
    expect(await activities.sendNextAlert({ line })).toMatchObject({ patienceMs: 0 });
    const order = { line, alertId, tries: 80, error: 'the receiver answered 500' };
    await activities.giveUpAlert(order);
    await activities.giveUpAlert(order);
    expect(await sent('exhausted')).toBe(1);
    expect(logged()).toContain('an alert was given up');
    expect((await services.alerts.get({ line, alertId }))?.status).toBe('exhausted');
    expect(await services.deadLetters.page({ limit: 10 })).toEqual({ letters: [] });
  });
});

describe('GA16 where it may not go', () => {
  const refusal = 'its name leads to a link-local or metadata address';
  const leadingTo = (...addresses: string[]): Resolve => {
    let asked = 0;
    return (_name, _options, callback) => {
      const address = addresses[Math.min(asked, addresses.length - 1)] ?? '';
      asked += 1;
      callback(null, [{ address, family: address.includes(':') ? 6 : 4 }]);
    };
  };
  const named = () => receiver.url.replace('127.0.0.1', 'alerts.example');

  test.each([
    'http://169.254.169.254/latest/meta-data',
    'http://169.254.1.1',
    'http://0xa9.254.169.254',
    'http://2852039166',
    'http://0.0.0.0',
    'http://[::]',
    'http://[fe80::1]',
    'http://[::ffff:169.254.169.254]',
    'http://[fd00:ec2::254]',
    'http://[fd20:ce::254]',
    'http://[64:ff9b::a9fe:a9fe]',
    'http://[2002:a9fe:a9fe::1]',
    'http://100.100.100.200',
    'http://192.0.0.192',
    'http://168.63.129.16',
  ])('GA16 %s is not even tried', async (url) => {
    const { line } = await waiting();
    expect(await posting({ url }).activities.sendNextAlert({ line })).toMatchObject({
      state: 'failed',
      error: 'ALERT_WEBHOOK_URL is a link-local or metadata address',
    });
  });

  test.each(['169.254.169.254', 'fe80::1%eth0', '::ffff:a9fe:a9fe', 'fd00:ec2::254', '::'])(
    'GA16 a name that leads to %s is not connected to',
    async (address) => {
      const { line } = await waiting();
      const { activities } = posting({ url: named(), resolve: leadingTo(address) });
      expect(await activities.sendNextAlert({ line })).toMatchObject({ error: refusal });
      expect(receiver.received).toEqual([]);
    },
  );

  test('GA16 a name that was fine once and leads elsewhere the next time is refused then', async () => {
    const resolve = leadingTo('127.0.0.1', '169.254.169.254', '127.0.0.1');
    const { activities } = posting({ url: named(), resolve });
    const { line } = await waiting();
    expect(await activities.sendNextAlert({ line })).toEqual({ state: 'sent' });
    const second = await waiting();
    expect(await activities.sendNextAlert(second)).toMatchObject({ error: refusal });
    expect(receiver.received.map(({ headers }) => headers.host)).toEqual([new URL(named()).host]);
  });

  test('GA16 one bad address among good ones refuses the name', async () => {
    const resolve: Resolve = (_name, _options, callback) => {
      callback(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '169.254.169.254', family: 4 },
      ]);
    };
    const { line } = await waiting();
    const { activities } = posting({ url: named(), resolve });
    expect(await activities.sendNextAlert({ line })).toMatchObject({ error: refusal });
  });

  test('GA16 by Node’s own resolver, a name of this machine is reached', async () => {
    const { line } = await waiting();
    const url = receiver.url.replace('127.0.0.1', 'localhost');
    expect(await posting({ url }).activities.sendNextAlert({ line })).toEqual({ state: 'sent' });
  });
});

describe('GA16 raising', () => {
  const card = '4242424242424242';
  function raising(changes: Partial<Parameters<typeof createRaiseAlert>[0]> = {}) {
    const { deps, logged } = posting();
    const announced: string[] = [];
    const raise = createRaiseAlert({
      isSent: true,
      keep: services.alerts.put,
      announce: async (line) => {
        await Promise.resolve(announced.push(line));
      },
      logger: deps.logger,
      metrics: deps.metrics,
      now: () => raisedAt,
      ...changes,
    });
    return { raise, deps, announced, logged };
  }

  test('GA16 each time a log line and a metric; one row and one announcement in five minutes', async () => {
    const { raise, deps, announced, logged } = raising();
    const customerId = newCustomer();
    await raise(failed(customerId));
    await raise(failed(customerId, { invoiceId: 'in_2' }));
    expect(announced).toEqual([customerId]);
    expect((await services.alerts.first(customerId))?.facts).toEqual({ invoiceId: 'in_1' });
    expect(await counted(deps.metrics.alerts)).toEqual([['payment_failed', 2]]);
    expect(logged().match(/"msg":"ALERT: a payment failed"/g)).toHaveLength(2);
  });

  test('GA16 without a receiver it is a log line and a metric, and nothing is kept', async () => {
    const { raise, deps, announced } = raising({ isSent: false });
    const customerId = newCustomer();
    await raise(failed(customerId));
    expect([announced, await services.alerts.first(customerId)]).toEqual([[], undefined]);
    expect(await counted(deps.metrics.alerts)).toEqual([['payment_failed', 1]]);
  });

  test.each([
    ['keep', 'not_kept', 'an alert could not be kept'],
    ['announce', 'not_announced', 'an alert is sent later'],
  ] as const)(
    'GA16 what it is raised for goes on when %s fails; that is counted as %s, and logged',
    async (step, outcome, line) => {
      const away = async () => await Promise.reject(new Error('it is away'));
      const { raise, deps, logged } = raising({ [step]: away });
      await expect(raise(failed(newCustomer()))).resolves.toBe(undefined);
      expect(await counted(deps.metrics.alertsSent)).toEqual([[outcome, 1]]);
      expect(logged()).toContain(line);
    },
  );

  test('GA16 kept, and died before it was announced: the sweep starts its sender a minute later', async () => {
    const customerId = newCustomer();
    const { raise } = raising({ announce: async () => await Promise.reject(new Error('died')) });
    await raise(failed(customerId));
    const early = posting({ now: new Date(raisedAt.getTime() + 59_000) });
    await early.activities.startForgottenAlerts();
    expect(early.told.senders).not.toContain(customerId);
    const later = posting({ now: new Date(raisedAt.getTime() + 60_000) });
    const { started } = await later.activities.startForgottenAlerts();
    expect(started).toContain(customerId);
    expect(later.told.senders).toEqual(started);
  });

  test('GA16 I10 no address, secret or card stands in what is sent, nor in its row', async () => {
    const customerId = newCustomer();
    const { raise } = raising();
    const canaries = ['anna@example.com', 'sk_live_canary', 'whsec_canary', 'dbk_canary', card];
    const facts = { invoiceId: 'in_1', email: 'anna@example.com', key: 'dbk_canary' };
    await raise({ ...failed(customerId, facts), note: canaries.join(' ') });
    const row = await services.alerts.first(customerId);
    await posting().activities.sendNextAlert({ line: customerId });
    const [{ text, headers } = { text: '', headers: {} }] = receiver.received;
    const seen = JSON.stringify([text, headers, row]);
    expect(canaries.filter((canary) => seen.includes(canary))).toEqual([]);
    expect(JSON.parse(text)).toMatchObject({ data: { facts: { invoiceId: 'in_1' } } });
  });
});
