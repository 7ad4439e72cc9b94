/** The processes that are asked for casts: ours, with its worker, and the peers. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startApiServer } from '../../../dev/stack/api-server.ts';
import { CHECKOUT, startNodeProcess } from '../../../dev/stack/node-process.ts';
import { answersOk } from '../../../dev/stack/probe.ts';
import type { RunningServer } from '../../../dev/stack/types.ts';
import { startValkey } from '../../../dev/stack/valkey.ts';
import type { BenchmarkContext } from '../support/benchmark.ts';
import type { BenchStack } from '../support/stack.ts';
import { castCents } from './options.ts';

export interface Doors {
  ours: RunningServer;
  /** Ours, with one request a minute and key. */
  strict: RunningServer;
  worker: RunningServer;
  bare: RunningServer;
  start: RunningServer;
  redis: RunningServer;
}

/** Has no worker: the peer's workflows are begun, and that is all. */
const peerTaskQueue = 'bench-peer';

export async function startDoors(context: BenchmarkContext, stack: BenchStack): Promise<Doors> {
  const { dataDir, signal, progress, onEnd } = context;
  progress('starting the servers, the worker and the peers …');
  const begin = async (starting: Promise<RunningServer>): Promise<RunningServer> => {
    const server = await starting;
    onEnd(server.name, async () => await server.stop());
    return server;
  };
  const valkey = await begin(startValkey({ dataDir, signal }));
  const REDIS_URL = `redis://127.0.0.1:${valkey.port}`;
  const env = { ...stack.env, REDIS_URL, COST_PER_CAST_CENTS: String(castCents) };
  const server = async (RATE_LIMIT_PER_MINUTE: string): Promise<RunningServer> =>
    await begin(startApiServer({ dataDir, signal, env: { ...env, RATE_LIMIT_PER_MINUTE } }));
  const peer = async (mode: string): Promise<RunningServer> => {
    const script = path.relative(CHECKOUT, fileURLToPath(import.meta.resolve('./peer.ts')));
    const options = { dataDir, signal, env: { ...env, TASK_QUEUE: peerTaskQueue } };
    const describe = (port: number) => ({
      args: [mode],
      env: { PORT: String(port) },
      probe: async () => await answersOk(`http://127.0.0.1:${port}/healthz`),
    });
    return await begin(startNodeProcess(`peer-${mode}`, script, options, describe));
  };
  const [ours, strict, worker] = await Promise.all([
    server('1000000'),
    server('1'),
    stack.startWorker({ COST_PER_CAST_CENTS: String(castCents) }),
  ]);
  const [bare, start, redis] = await Promise.all([peer('bare'), peer('start'), peer('redis')]);
  return { ours, strict, worker, bare, start, redis };
}
