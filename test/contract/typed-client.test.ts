/**
 * The typed client of docs/api.md, word for word: types made from the document that the server gives, the
 * example checked against them, and run against the server with a worker behind it.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { baseEnvironment, developmentEnvironment } from '../../dev/environment.ts';
import { startApiServer } from '../../dev/stack/api-server.ts';
import { CHECKOUT } from '../../dev/stack/node-process.ts';
import type { RunningServer } from '../../dev/stack/types.ts';
import { startWorker } from '../../dev/stack/worker.ts';
import { resolveTool } from '../../dev/tools/resolve.ts';
import { createKey } from '../../operations/keys.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startBareTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';

const run = promisify(execFile);
const customerId = 'cus_Typed';
const now = () => new Date();

let services: Services;
let temporal: BareTemporal;
let server: RunningServer;
let worker: RunningServer;
let folder = '';
beforeAll(async () => {
  services = await startServices();
  temporal = await startBareTemporal(services);
  const { dataDir } = services;
  const env = {
    ...services.env,
    TEMPORAL_ADDRESS: temporal.server.address,
    TASK_QUEUE: taskQueue,
    COST_PER_CAST_CENTS: '7',
  };
  [server, worker] = await Promise.all([
    startApiServer({ dataDir, env }),
    startWorker({ dataDir, env }),
  ]);
  // Inside the checkout: the example imports a package.
  const cache = path.join(CHECKOUT, 'node_modules/.cache');
  await mkdir(cache, { recursive: true });
  folder = await mkdtemp(path.join(cache, 'typed-client-'));
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }\n');
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await worker.stop();
  await server.stop();
  await temporal.stop();
  await services.stop();
});

async function exampleOfTheDocs(): Promise<string> {
  const page = await readFile(path.join(CHECKOUT, 'docs/api.md'), 'utf8');
  const [, example] = /### A typed client[^]*?```ts\n([^]*?)```/.exec(page) ?? [];
  if (example === undefined) throw new Error('docs/api.md has no example of a typed client');
  return example;
}

/** What the compiler says of a program beside the types; nothing when all is right. */
async function typeErrors(name: string, program: string): Promise<string> {
  await writeFile(path.join(folder, name), program);
  const options =
    '--noEmit --strict --target es2022 --module nodenext --allowImportingTsExtensions';
  const tsc = path.join(CHECKOUT, 'node_modules/typescript/bin/tsc');
  const types = ['--types', 'node', '--ignoreConfig'];
  return await run(process.execPath, [tsc, ...options.split(' '), ...types, name], { cwd: folder })
    .then(({ stdout }) => stdout)
    .catch(({ stdout }: { stdout?: string }) => stdout ?? 'the compiler did not run');
}

test('GA13 GA1 the example of the docs has the right types, casts once, and is told of its budget', async () => {
  const { command } = await resolveTool('openapi-typescript');
  await run(command, [`${server.url}/openapi.json`, '-o', 'durabill.d.ts'], { cwd: folder });
  const example = await exampleOfTheDocs();
  expect(await typeErrors('example.ts', example)).toBe('');
  const wrong = example.replace('data.processingId', 'data.castId');
  expect(await typeErrors('wrong.ts', wrong)).toContain("Property 'castId' does not exist");

  await services.control.createCustomer({ id: customerId });
  const createdAt = now().toISOString();
  await services.customers.add({ customerId, plan: 'free', billingStatus: 'none', createdAt });
  await services.putFile(customerId, 'reports/march.csv', 'a,b\n');
  await services.putFile(customerId, 'reports/april.csv', 'a,b,c\n');
  await services.spending.change(customerId, { hardLimitCents: 10 });
  const { key } = await createKey({ ...services, now }, { customerId, scope: 'cast' });
  const env = {
    ...baseEnvironment(developmentEnvironment()),
    DURABILL_URL: server.url,
    DURABILL_KEY: key,
  };
  const cast = async (): Promise<string[]> => {
    const args = ['--import', 'tsx', path.join(folder, 'example.ts')];
    const { stdout, stderr } = await run(process.execPath, args, { cwd: CHECKOUT, env });
    expect(stderr).toBe('');
    // What Stripe has not confirmed yet has a line of its own, for as long as that takes.
    return stdout
      .trimEnd()
      .split('\n')
      .filter((line) => !line.includes(', waiting: '));
  };
  const told = [
    'march: completed, 4 bytes, 7 cents',
    'april: needs 7 cents, 3 are left',
    'file_processed, delivered: 0 cents',
    'storage-usage, delivered: 0 cents',
  ];
  expect(await cast()).toEqual(told);
  // Again, as after a crash: the same cast, and nothing more is spent.
  expect(await cast()).toEqual(told);
}, 300_000);
