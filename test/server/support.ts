/** The application with what a test wants to see of it: no socket, no client. */
import { Writable } from 'node:stream';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { createApp } from '../../server/app.ts';
import type { AppDependencies } from '../../server/app.ts';

export function createTestApp(probes: AppDependencies['probes'] = {}) {
  const lines: string[] = [];
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const metrics = createMetrics();
  const logger = createLogger('server', 'info', destination);
  return { app: createApp({ logger, registry: metrics.registry, probes }), metrics, lines };
}
