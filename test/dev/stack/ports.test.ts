import net from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isPortFree, onPort, pickFreePort } from '../../../dev/stack/free-port.ts';
import { choosePorts, PORT_SETTINGS } from '../../../dev/stack/ports.ts';
import { temporaryFolder } from '../tools/fake-tool.ts';

const listeners: net.Server[] = [];
let dataDir = '';
let lines: string[] = [];
const report = (line: string): void => {
  lines.push(line);
};
beforeEach(async () => {
  dataDir = await temporaryFolder();
  lines = [];
});
afterEach(async () => {
  for (const server of listeners.splice(0)) await new Promise((done) => server.close(done));
});

async function listenOn(port: number): Promise<void> {
  const server = net.createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  listeners.push(server);
}

/** Every port explicit but those that the test is about, so that it does not depend on the machine. */
async function explicitPorts(except: string[]): Promise<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const { variable } of Object.values(PORT_SETTINGS)) {
    if (!except.includes(variable)) environment[variable] = String(await pickFreePort());
  }
  return environment;
}

test('a taken default moves to a free one, says so, and is used again on the next start', async () => {
  const environment = await explicitPorts(['STRIPE_PORT']);
  await listenOn(12_111).catch(() => undefined);
  const first = await choosePorts(dataDir, environment, report);
  expect(first.stripe).not.toBe(12_111);
  expect(await isPortFree(first.stripe)).toBe(true);
  expect(lines).toEqual([
    `Stripe double is on port ${first.stripe} (12111 is taken; STRIPE_PORT chooses another)`,
  ]);
  const second = await choosePorts(dataDir, environment, report);
  expect(second).toEqual(first);
  expect(lines[1]).toContain('as on the last start');
});

test('a taken port that was set is an error that names the variable', async () => {
  const environment = await explicitPorts([]);
  const port = Number(environment['S3_PORT']);
  await listenOn(port);
  await expect(choosePorts(dataDir, environment, report)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(`S3_PORT=${port} (S3) is taken`) as string,
  });
});

test('the same port set twice, and a port that is none, are errors that name the variable', async () => {
  const environment = await explicitPorts([]);
  const twice = { ...environment, DYNAMODB_PORT: environment['PORT'] };
  await expect(choosePorts(dataDir, twice, report)).rejects.toThrow('DYNAMODB_PORT=');
  for (const text of ['http', '0', '70000', '80.5']) {
    const wrong = { ...environment, TEMPORAL_PORT: text };
    await expect(choosePorts(dataDir, wrong, report)).rejects.toThrow(
      `TEMPORAL_PORT=${text} is not`,
    );
  }
});

test('a port that was set holds for that run only', async () => {
  const environment = await explicitPorts(['WORKER_HEALTH_PORT']);
  const first = await choosePorts(dataDir, environment, report);
  const others = await explicitPorts(['WORKER_HEALTH_PORT']);
  const second = await choosePorts(dataDir, others, report);
  expect(second.api).not.toBe(first.api);
  expect(second.workerHealth).toBe(first.workerHealth);
});

test('free ports picked at once are all different', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, async () => await pickFreePort()));
  expect(new Set(ports).size).toBe(50);
});

test('a start on a free port that somebody took in between is tried on another', async () => {
  const tried: number[] = [];
  const port = await onPort(0, async (picked) => {
    tried.push(picked);
    if (tried.length === 1) {
      await listenOn(picked);
      throw new Error('address in use');
    }
    return picked;
  });
  expect(tried).toHaveLength(2);
  expect(port).toBe(tried[1]);
  await expect(onPort(0, async () => await Promise.reject(new Error('broken')))).rejects.toThrow(
    'broken',
  );
});
