/**
 * Every operation of the document, asked with what it allows and with what it does not, by schemathesis:
 * no answer is a 5xx, and each has a status, a type, headers and a body that the document tells of (GA10).
 */
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import path from 'node:path';
import type { Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApiServer } from '../../dev/stack/api-server.ts';
import type { RunningServer } from '../../dev/stack/types.ts';
import { resolveTool } from '../../dev/tools/resolve.ts';
import { createKey } from '../../operations/keys.ts';
import { ensureCatalog } from '../../platform/stripe-catalog.ts';
import { newLetter } from '../support/dead-letters.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startBareTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';

const adminToken = 'an-admin-token-of-the-fuzz-test-alone';
const customerId = 'cus_Fuzz';
const now = () => new Date();

let services: Services;
let temporal: BareTemporal;
let server: RunningServer;
let customerKey = '';
beforeAll(async () => {
  services = await startServices();
  temporal = await startBareTemporal(services);
  await ensureCatalog(services.stripe);
  server = await startApiServer({
    dataDir: services.dataDir,
    env: {
      ...services.env,
      TEMPORAL_ADDRESS: temporal.server.address,
      TASK_QUEUE: taskQueue,
      ADMIN_TOKEN: adminToken,
      STRIPE_WEBHOOK_SECRET: 'whsec_of_the_fuzz_test',
      EVENTBRIDGE_SECRET: 'a-secret-of-the-fuzz-test-alone-1234',
      RATE_LIMIT_PER_MINUTE: '1000000',
      LOG_LEVEL: 'fatal',
    },
  });
  await services.control.createCustomer({ id: customerId });
  const createdAt = now().toISOString();
  await services.customers.add({ customerId, plan: 'free', billingStatus: 'none', createdAt });
  await services.deadLetters.open(newLetter('usage-parked', 'use_1', { customerId }), createdAt);
  const made = await createKey({ ...services, now }, { customerId, scope: 'cast' });
  customerKey = made.key;
}, 120_000);
afterAll(async () => {
  await server.stop();
  await temporal.stop();
  await services.stop();
});

interface Fuzzed {
  code: number | string | null | undefined;
  said: string;
  operations: number;
}

async function fuzz(url: string, secret: string, filter: readonly string[]): Promise<Fuzzed> {
  const { command } = await resolveTool('schemathesis');
  const args = [
    `--config-file=${path.join(import.meta.dirname, 'schemathesis.toml')}`,
    '--no-color',
    'run',
    `${url}/openapi.json`,
    `--header=Authorization: Bearer ${secret}`,
    ...filter,
  ];
  const options = { cwd: services.dataDir, maxBuffer: 64 * 1024 * 1024 };
  return await new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      const operations = Number(/^ *Tested: (\d+)$/m.exec(stdout)?.[1] ?? 0);
      resolve({ code: error === null ? 0 : error.code, said: stdout + stderr, operations });
    });
  });
}

test('GA10 with a customer’s key: no 5xx, and no answer outside the document', async () => {
  const { code, said, operations } = await fuzz(server.url, customerKey, [
    '--exclude-path-regex=dead-letters|/v1/customers',
  ]);
  expect(code === 0 ? '' : said).toBe('');
  expect(operations).toBeGreaterThanOrEqual(23);
}, 300_000);

test('GA10 with the admin token: the same', async () => {
  const { code, said, operations } = await fuzz(server.url, adminToken, [
    '--include-path-regex=dead-letters|/v1/keys|/v1/customers',
  ]);
  expect(code === 0 ? '' : said).toBe('');
  expect(operations).toBe(12);
}, 300_000);

test('the fuzz finds a server that answers with an error or outside its document', async () => {
  const document = {
    openapi: '3.1.0',
    info: { title: 'wrong', version: '1' },
    paths: {
      '/broken': { get: { responses: { 200: { description: 'never' } } } },
      '/other': {
        get: {
          responses: {
            200: {
              description: 'a number',
              content: { 'application/json': { schema: { type: 'number' } } },
            },
          },
        },
      },
    },
  };
  const wrong = createServer((req, res) => {
    res.setHeader('content-type', 'application/json');
    if (req.url === '/openapi.json') res.end(JSON.stringify(document));
    else if (req.url?.startsWith('/broken') === true) res.writeHead(500).end('{}');
    else res.end('"no number"');
  });
  await listen(wrong);
  const address = wrong.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { code, said } = await fuzz(`http://127.0.0.1:${port}`, adminToken, []);
  await new Promise((resolve) => wrong.close(resolve));
  expect(code).toBe(1);
  expect(said).toContain('Server error');
  expect(said).toContain('Response violates schema');
}, 120_000);

async function listen(wrong: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    wrong.listen(0, '127.0.0.1', resolve);
  });
}
