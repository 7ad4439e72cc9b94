import { startNodeProcess } from './node-process.ts';
import type { NodeProcessOptions } from './node-process.ts';
import { answersOk } from './probe.ts';
import type { RunningServer } from './types.ts';

/** Longer than the grace that the worker gives to running activities. */
const STOP_TIMEOUT_MS = 25_000;

/** The worker; `port` is its health port, which answers 200 once all of its pollers run. */
export async function startWorker(options: NodeProcessOptions): Promise<RunningServer> {
  return await startNodeProcess('worker', 'worker/main.ts', options, (port) => ({
    args: [],
    env: { WORKER_HEALTH_PORT: String(port) },
    probe: async () => await answersOk(`http://127.0.0.1:${port}/healthz`),
    stopTimeoutMs: STOP_TIMEOUT_MS,
  }));
}
