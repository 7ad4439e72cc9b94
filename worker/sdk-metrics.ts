/**
 * The Temporal SDK's own metrics (slots, pollers, latencies, refused calls). The SDK serves them on a port
 * of its own only: here that is one of loopback's, and the worker's `/metrics` passes them on.
 */
import { createServer } from 'node:net';
import { installRuntime } from './run.ts';

/** Somebody else may take a free port before the SDK does. */
const mostAttempts = 5;
const patienceMs = 2000;

/** Installs the SDK's runtime and returns what reads its metrics, as Prometheus text. */
export async function installMeasuredRuntime(
  write: Parameters<typeof installRuntime>[0],
): Promise<() => Promise<string>> {
  for (let attempt = 1; ; attempt += 1) {
    const address = `127.0.0.1:${await pickPort()}`;
    try {
      installRuntime(write, address);
    } catch (error) {
      if (attempt === mostAttempts) throw error;
      continue;
    }
    return async () => await readMetrics(`http://${address}/metrics`);
  }
}

async function readMetrics(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs) });
  return await answer.text();
}

async function pickPort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => {
        resolve(port);
      });
    });
  });
}
