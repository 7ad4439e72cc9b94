/** A real Valkey of the test's own, empty. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startValkey } from '../../dev/stack/valkey.ts';

export interface TestValkey {
  /** `redis://127.0.0.1:<port>` */
  url: string;
  /** To look at what is in it; not while it is away. */
  client: Redis;
  /** SIGKILL: the process is gone when it resolves. */
  kill: () => Promise<void>;
  /** Starts it again on the same port, empty. */
  restart: () => Promise<void>;
  /** It takes connections and answers nothing, until `resume`. */
  hang: () => Promise<void>;
  resume: () => void;
  stop: () => Promise<void>;
}

export async function startTestValkey(): Promise<TestValkey> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'durabill-valkey-'));
  let server = await startValkey({ dataDir });
  const { port } = server;
  const client = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => 50 });
  client.on('error', () => undefined);
  return {
    url: `redis://127.0.0.1:${port}`,
    client,
    kill: async () => {
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
    },
    restart: async () => {
      server = await startValkey({ dataDir, port });
    },
    hang: async () => {
      process.kill(server.pid, 'SIGSTOP');
      while (process.platform === 'linux' && !isStopped(server.pid)) await sleep(5);
    },
    resume: () => {
      process.kill(server.pid, 'SIGCONT');
    },
    stop: async () => {
      client.disconnect();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function isStopped(pid: number): boolean {
  return /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}
