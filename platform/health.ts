/** A small HTTP server for health and metrics, of a process without an API. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { Registry } from 'prom-client';

/** `/healthz` answers 200 while `isHealthy` says so, else 503; `/metrics` is Prometheus text. */
export async function serveHealth(
  host: string,
  port: number,
  isHealthy: () => boolean,
  registry: Registry,
): Promise<Server> {
  const server = createServer((req, res) => {
    if (req.url === '/healthz') {
      res.writeHead(isHealthy() ? 200 : 503).end(isHealthy() ? 'ok\n' : 'starting\n');
    } else if (req.url === '/metrics') {
      void registry.metrics().then((text) => {
        res.writeHead(200, { 'content-type': registry.contentType }).end(text);
      });
    } else {
      res.writeHead(404).end();
    }
  });
  server.headersTimeout = 5000;
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}
