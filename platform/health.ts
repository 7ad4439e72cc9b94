/** A small HTTP server for health and metrics, of a process without an API. */
import { createServer } from 'node:http';
import { Registry } from 'prom-client';
import { gracefulClose } from './graceful-close.ts';

/** Whoever asks for metrics has so long when the process ends. */
const patienceMs = 2000;

/**
 * `/healthz` answers 200 while `isHealthy` says so, else 503; `/metrics` is what all `sources` of Prometheus
 * text say; one that fails is left out, and the others are still told.
 */
export async function serveHealth(
  host: string,
  port: number,
  isHealthy: () => boolean,
  sources: readonly (() => Promise<string>)[],
): Promise<() => Promise<void>> {
  const server = createServer((req, res) => {
    if (req.url === '/healthz') {
      res.writeHead(isHealthy() ? 200 : 503).end(isHealthy() ? 'ok\n' : 'starting\n');
    } else if (req.url === '/metrics') {
      void Promise.allSettled(sources.map(async (source) => await source())).then((answers) => {
        const texts = answers.flatMap((told) => (told.status === 'fulfilled' ? [told.value] : []));
        res.writeHead(200, { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE });
        // Each source ends its last line or not: a blank line between two does no harm.
        res.end(texts.join('\n'));
      });
    } else {
      res.writeHead(404).end();
    }
  });
  const close = gracefulClose(server);
  server.headersTimeout = 5000;
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return async () => {
    await close(patienceMs);
  };
}
