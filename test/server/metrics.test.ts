/** What the counters and gauges of the server count. */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import { createDynamoDb } from '../../platform/dynamodb.ts';
import { parseConfig } from '../../platform/config.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { createOperationApp } from '../../server/operation-app.ts';
import { receiveEvent } from '../../server/receive-event.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import { openTables } from '../../tables/open.ts';
import { createLogger } from '../../platform/logger.ts';
import { createTestApp } from './support.ts';

/** A table store that answers when it is told to. */
async function startHoldingStore() {
  const held: ServerResponse[] = [];
  const server = createServer((_req, res) => {
    held.push(res);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    held,
    answerAll: (status: number) => {
      for (const res of held.splice(0)) {
        res.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
      }
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('GA8 db_pool_in_use', () => {
  test('GA8 counts the requests that the table store has not answered, tables’ own too', async () => {
    const store = await startHoldingStore();
    const metrics = createMetrics();
    const env = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
    const config = parseConfig({ ...env, DYNAMODB_ENDPOINT: store.url });
    const client = createDynamoDb(config, metrics);
    const { customers } = openTables(createTableStore(client, 'p-'));
    const inUse = async () => (await metrics.dbPoolInUse.get()).values[0]?.value;
    try {
      expect(await inUse()).toBe(0);
      const answers = Promise.allSettled(
        ['1', '2', '3'].map(async (id) => await customers.get(id)),
      );
      await vi.waitUntil(() => store.held.length === 3, { timeout: 300_000 });
      expect(await inUse()).toBe(3);
      store.answerAll(200);
      await answers;
      expect(await inUse()).toBe(0);
      const refused = customers.get('4').catch((error: unknown) => error);
      await vi.waitUntil(() => store.held.length === 1, { timeout: 300_000 });
      store.answerAll(400);
      expect(await refused).toBeInstanceOf(Error);
      expect(await inUse()).toBe(0);
    } finally {
      client.destroy();
      await store.stop();
    }
  });
});

describe('GA8 stripe_webhook_total', () => {
  test('GA8 a type that we do not act on is `other`: who sends events cannot make series', async () => {
    const metrics = createMetrics();
    const receiver = {
      webhookEvents: { takeIn: async () => await Promise.resolve({ isNew: true, waits: false }) },
      announceEvent: async () => await Promise.resolve(),
      metrics,
      livemode: false,
    };
    const types = Array.from({ length: 50 }, (_, index) => `made.up_${index}`);
    for (const type of [...types, 'invoice.paid']) {
      await receiveEvent(receiver, {
        id: `evt_${type.replaceAll('.', '')}`,
        object: 'event',
        type,
        created: 1_700_000_000,
        livemode: false,
        data: { object: { id: 'in_1', object: 'invoice', customer: 'cus_1' } },
      });
    }
    const { values } = await metrics.webhooks.get();
    const counted = values.filter(({ value }) => value > 0);
    expect(counted.map(({ labels, value }) => ({ ...labels, value }))).toEqual([
      { type: 'other', outcome: 'ignored', value: 50 },
      { type: 'invoice.paid', outcome: 'accepted', value: 1 },
    ]);
  });
});

describe('GA8 what is down', () => {
  test('GA8 durabill_need_up tells what the probes find at that moment', async () => {
    const { needUp, registry } = createMetrics();
    let up = false;
    const tables = async () => (up ? await Promise.resolve() : await Promise.reject(new Error()));
    const temporal = async () => await Promise.resolve();
    const { app } = createTestApp({ tables, temporal }, {}, {}, { needUp, registry });
    const told = async () =>
      (await (await app.request('/metrics')).text())
        .split('\n')
        .filter((line) => line.startsWith('durabill_need_up{'));
    expect(await told()).toEqual([
      'durabill_need_up{need="tables"} 0',
      'durabill_need_up{need="temporal"} 1',
    ]);
    up = true;
    expect(await told()).toContain('durabill_need_up{need="tables"} 1');
  });
});

describe('GA8 metrics on a port of their own', () => {
  const statusesOf = async (app: { request: (path: string) => Response | Promise<Response> }) =>
    await Promise.all(
      ['/healthz', '/readyz', '/metrics', '/openapi.json'].map(async (path) => {
        return (await app.request(path)).status;
      }),
    );

  test('GA8 without one, the API has them', async () => {
    const { app } = createTestApp();
    expect(await statusesOf(app)).toEqual([200, 200, 200, 200]);
    expect(await (await app.request('/')).json()).toMatchObject({ metrics: '/metrics' });
  });

  test('GA8 with one, customers cannot read them, and health is on both', async () => {
    const { app } = createTestApp({}, {}, {}, { metricsElsewhere: true });
    expect(await statusesOf(app)).toEqual([200, 200, 404, 200]);
    expect(await (await app.request('/')).json()).not.toHaveProperty('metrics');
    const { registry } = createMetrics();
    const logger = createLogger('test', 'silent');
    const operation = createOperationApp({ logger, registry, probes: {} });
    expect(await statusesOf(operation)).toEqual([200, 200, 200, 404]);
  });
});
