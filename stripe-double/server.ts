import { getRequestListener } from '@hono/node-server';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { createApp } from './app.ts';
import type { Double, DoubleOptions } from './double.ts';
import { createDouble } from './double.ts';

export type StripeDoubleOptions = DoubleOptions & {
  /** 0 or absent: a free port. */
  port?: number | undefined;
};

export type StripeDouble = {
  url: string;
  host: '127.0.0.1';
  port: number;
  /** Breaks what is open, stops listening and closes the journal. */
  stop: () => Promise<void>;
};

/** Socket limits of facts.md; clients keep connections for longer than Node's 5 seconds. */
const socketLimits = {
  headersTimeout: 5000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: 16 * 1024,
  keepAliveTimeout: 65_000,
};

/**
 * Starts the Stripe double on 127.0.0.1. `dataDir` keeps its state over SIGKILL, `secretKeys` are
 * accepted (without them any test key), `now` replaces the machine's clock, `identifierMemoryMs` is
 * how long a meter event's identifier is unique (24 hours), `webhooks` get all events, `delivery`
 * says how.
 */
export async function startStripeDouble(options: StripeDoubleOptions = {}): Promise<StripeDouble> {
  const double = createDouble(options);
  const listener = getRequestListener(createApp(double).fetch);
  const server = createServer(socketLimits, (request, response) => {
    void listener(request, response);
  });
  try {
    await listen(server, options.port ?? 0);
  } catch (error) {
    double.store.close();
    throw error;
  }
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  double.listensAt(`http://127.0.0.1:${port}`);
  let stopping: Promise<void> | undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    host: '127.0.0.1',
    port,
    stop: async () => {
      stopping ??= stop(server, double);
      await stopping;
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function stop(server: Server, double: Double): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeAllConnections();
  await Promise.all([closed, double.deliverer.stop()]);
  double.store.close();
}
