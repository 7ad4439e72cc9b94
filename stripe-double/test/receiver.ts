import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import Stripe from 'stripe';
import { onTestFinished } from 'vitest';

export type Received = { body: string; signature: string; type: string; id: string };

/**
 * A webhook receiver. It takes what `answer` says (200), remembers everything, and checks signatures
 * with the real SDK. `until` resolves as soon as so much has come in.
 */
export async function startReceiver(
  secret: string,
  options: {
    port?: number;
    answer?: (received: Received, count: number) => number | Promise<number>;
  } = {},
) {
  const received: Received[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const { id, type } = parse(body);
      const one = { body, id, type, signature: String(request.headers['stripe-signature'] ?? '') };
      received.push(one);
      for (const { count, resolve } of waiting) if (received.length >= count) resolve();
      const status = (await options.answer?.(one, received.length)) ?? 200;
      response.writeHead(status).end('{}');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(stop);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/webhooks/stripe`,
    port,
    received,
    stop,
    types: () => received.map(({ type }) => type),
    until: async (count: number) => {
      if (received.length >= count) return;
      await new Promise<void>((resolve) => waiting.push({ count, resolve }));
    },
    verified: ({ body, signature }: Received) =>
      new Stripe('sk_test_x').webhooks.constructEvent(body, signature, secret),
  };
}

function parse(body: string): { id: string; type: string } {
  try {
    const { id, type } = JSON.parse(body) as { id: string; type: string };
    return { id, type };
  } catch {
    return { id: '', type: '' };
  }
}
