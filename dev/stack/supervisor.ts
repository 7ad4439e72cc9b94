import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../tools/types.ts';
import type { ProcessRegistry } from './processes.ts';
import type { RunningServer, SpawnedChild, StartOptions } from './types.ts';

const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 10_000;
const STABLE_AFTER_MS = 30_000;
const MAXIMUM_FAILURES = 30;

/** Starts one server, always on the same port; called again whenever it dies. */
export type StartServer = (
  options: Required<Pick<StartOptions, 'onSpawn' | 'signal'>>,
) => Promise<RunningServer>;

interface Supervised {
  name: string;
  start: StartServer;
  server: RunningServer;
  /** Starts since it last ran for long. */
  failures: number;
  watching: Promise<void>;
}

/** Keeps servers running: one that dies unexpectedly is started again, with backoff, and it is said. */
export class Supervisor {
  readonly #registry: Pick<ProcessRegistry, 'add' | 'remove'>;
  readonly #report: Report;
  readonly #supervised = new Map<string, Supervised>();
  readonly #stop = new AbortController();
  readonly #stopping: AbortSignal;

  /** When `signal` aborts, nothing is started any more, as after `stop`; what runs still runs. */
  constructor(
    registry: Pick<ProcessRegistry, 'add' | 'remove'>,
    report: Report,
    signal?: AbortSignal,
  ) {
    this.#registry = registry;
    this.#report = report;
    this.#stopping =
      signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, signal]);
  }

  /** Starts a server and from then on keeps it running. Fails if the first start fails. */
  async run(name: string, start: StartServer): Promise<RunningServer> {
    const server = await this.#start(start);
    const entry: Supervised = { name, start, server, failures: 0, watching: Promise.resolve() };
    this.#supervised.set(name, entry);
    // A watcher only fails because everything is being stopped.
    entry.watching = this.#watch(entry).catch(() => undefined);
    return server;
  }

  /** Stops all servers for good, one after the other in this order, and any others after those. */
  async stop(order: readonly string[]): Promise<void> {
    this.#stop.abort();
    const others = [...this.#supervised.keys()].filter((name) => !order.includes(name));
    for (const name of [...order, ...others]) {
      const entry = this.#supervised.get(name);
      await entry?.server.stop();
      await entry?.watching;
    }
  }

  async #start(start: StartServer): Promise<RunningServer> {
    const signal = this.#stopping;
    let spawned: SpawnedChild | undefined;
    const forget = (): void => {
      if (spawned !== undefined) this.#registry.remove(spawned.pid);
    };
    const onSpawn = (child: SpawnedChild): void => {
      forget();
      spawned = child;
      this.#registry.add(child);
    };
    try {
      const server = await start({ onSpawn, signal });
      // Stopped in the very moment in which it became ready: nobody else knows of it.
      if (signal.aborted) await server.stop();
      signal.throwIfAborted();
      return server;
    } catch (error) {
      forget();
      throw error;
    }
  }

  async #watch(entry: Supervised): Promise<void> {
    while (entry.failures < MAXIMUM_FAILURES) {
      const startedAt = performance.now();
      const reason = await entry.server.exited;
      this.#registry.remove(entry.server.pid);
      if (this.#stopping.aborted) return;
      if (performance.now() - startedAt > STABLE_AFTER_MS) entry.failures = 0;
      this.#report(
        `${entry.name} (pid ${entry.server.pid}) died with ${reason}: starting it again`,
      );
      await this.#startAgain(entry);
    }
    this.#report(`${entry.name} died too often and stays down; log: ${entry.server.logFile}`);
  }

  async #startAgain(entry: Supervised): Promise<void> {
    const signal = this.#stopping;
    while (entry.failures < MAXIMUM_FAILURES) {
      const waitMs = Math.min(FIRST_BACKOFF_MS * 2 ** entry.failures, LONGEST_BACKOFF_MS);
      entry.failures += 1;
      await sleep(waitMs, undefined, { signal });
      try {
        entry.server = await this.#start(entry.start);
        this.#report(`${entry.name} runs again (pid ${entry.server.pid})`);
        return;
      } catch (error) {
        signal.throwIfAborted();
        this.#report(error instanceof Error ? error.message : String(error));
      }
    }
  }
}
