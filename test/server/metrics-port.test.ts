/** The server as a process, with METRICS_PORT. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { pickFreePort } from '../../dev/stack/free-port.ts';
import { startNodeProcess } from '../../dev/stack/node-process.ts';
import { answersOk } from '../../dev/stack/probe.ts';

async function connectTo(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
}

test('GA8 METRICS_PORT: the process serves metrics and health there, and no metrics to customers; one warning says what billing lacks', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'durabill-metrics-port-'));
  const metricsPort = await pickFreePort();
  const env = { METRICS_PORT: String(metricsPort), LOG_LEVEL: 'warn' };
  const server = await startNodeProcess('server', 'server/main.ts', { dataDir, env }, (port) => ({
    args: [],
    env: { PORT: String(port) },
    probe: async () => await answersOk(`http://127.0.0.1:${port}/healthz`),
  }));
  try {
    const statusOf = async (port: number, route: string) =>
      (await fetch(`http://127.0.0.1:${port}${route}`)).status;
    expect(await statusOf(metricsPort, '/healthz')).toBe(200);
    expect(await statusOf(server.port, '/metrics')).toBe(404);
    // A load balancer keeps its side for 60 s.
    const { headers } = await fetch(`http://127.0.0.1:${server.port}/healthz`);
    expect(headers.get('Keep-Alive')).toBe('timeout=75');
    const told = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    expect(told.split('\n')).toContain('db_pool_in_use 0');
    // What used to end it with 1: a question to a Temporal that is away, which the SDK would ask again
    // when its connection is closed, and callers who opened a connection and said nothing.
    expect(await statusOf(server.port, '/readyz')).toBe(503);
    await Promise.all([server.port, metricsPort].map(connectTo));
  } finally {
    await server.stop();
    expect(await server.exited).toBe('code 0');
    const log = await readFile(path.join(dataDir, 'logs', 'server.log'), 'utf8');
    const warnings = log.split('\n').filter((line) => line.includes('billing is off'));
    expect(warnings.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: 40, missing: ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'] },
    ]);
    await rm(dataDir, { recursive: true, force: true });
  }
}, 120_000);
