/** The processes that are sent webhooks: ours with its worker, and the peers. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startApiServer } from '../../../dev/stack/api-server.ts';
import { CHECKOUT, startNodeProcess } from '../../../dev/stack/node-process.ts';
import { answersOk } from '../../../dev/stack/probe.ts';
import type { RunningServer } from '../../../dev/stack/types.ts';
import type { BenchmarkContext } from '../support/benchmark.ts';
import type { BenchStack } from '../support/stack.ts';
import { webhookSecret } from './options.ts';

export interface Receivers {
  ours: RunningServer;
  worker: RunningServer;
  /** Signature check and 200. */
  verify: RunningServer;
  /** Signals inline, keeps nothing. */
  signal: RunningServer;
}

/** Has no worker: the peer's workflows take signals and do nothing. */
const peerTaskQueue = 'bench-peer';

export async function startReceivers(
  context: BenchmarkContext,
  stack: BenchStack,
  eventRate: number,
): Promise<Receivers> {
  const { dataDir, signal, progress, onEnd } = context;
  progress('starting the server, the worker and the peers …');
  const start = async (starting: Promise<RunningServer>): Promise<RunningServer> => {
    const server = await starting;
    onEnd(server.name, async () => await server.stop());
    return server;
  };
  const env = { ...stack.env, STRIPE_WEBHOOK_SECRET: webhookSecret };
  const peer = async (mode: 'verify' | 'signal'): Promise<RunningServer> => {
    const script = path.relative(CHECKOUT, fileURLToPath(import.meta.resolve('./peer.ts')));
    const options = { dataDir, signal, env: { ...env, TASK_QUEUE: peerTaskQueue } };
    return await startNodeProcess(`peer-${mode}`, script, options, (port) => ({
      args: [mode],
      env: { PORT: String(port) },
      probe: async () => await answersOk(`http://127.0.0.1:${port}/healthz`),
    }));
  };
  const [ours, worker, verify, inline] = await Promise.all([
    start(startApiServer({ dataDir, signal, env })),
    stack.startWorker({ EVENT_RATE_PER_SECOND: String(eventRate) }),
    start(peer('verify')),
    start(peer('signal')),
  ]);
  return { ours, worker, verify, signal: inline };
}
