/** The webhook route behind a real socket: bodies come in pieces there, and may never end. */
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { ServerType } from '@hono/node-server';
import { serve } from '@hono/node-server';
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../server/app.ts';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { noApi } from './api-support.ts';
import { noDeadLetters } from './dead-letters-support.ts';

const secret = 'whsec_socket';
const mebibyte = 1024 * 1024;
let services: Services;
let server: ServerType;
let port = 0;
beforeAll(async () => {
  services = await startServices();
  const metrics = createMetrics();
  const app = createApp({
    logger: createLogger('test', 'silent'),
    registry: metrics.registry,
    probes: {},
    deadLetters: noDeadLetters,
    ...noApi,
    webhooks: {
      stripeSecrets: [secret],
      eventBridgeSecret: undefined,
      now: () => new Date(),
      receiver: {
        webhookEvents: services.webhookEvents,
        announceEvent: async () => await Promise.resolve(),
        metrics,
        livemode: false,
      },
    },
  });
  port = await new Promise<number>((resolve) => {
    server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, (info) => {
      resolve(info.port);
    });
  });
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await services.stop();
});

function eventBody(id: string): string {
  const data = {
    object: { id: 'in_1', object: 'invoice', customer: 'cus_1', note: 'ü'.repeat(9) },
  };
  const created = Math.floor(Date.now() / 1000);
  return JSON.stringify({
    id,
    object: 'event',
    type: 'invoice.paid',
    livemode: false,
    created,
    data,
  });
}

/** Without a length in front unless `headers` name one: pieces go out as chunks, one after another. */
async function send(
  pieces: readonly Uint8Array[],
  headers: Record<string, string | number>,
): Promise<{ status: number | undefined; body: unknown }> {
  const call = request({
    host: '127.0.0.1',
    port,
    path: '/webhooks/stripe',
    method: 'POST',
    headers,
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    call.once('response', resolve);
    call.once('error', reject);
  });
  for (const piece of pieces) {
    await new Promise((resolve) => call.write(piece, resolve));
  }
  call.end();
  const answer = await answered;
  // The rest of a refused body may meet a closed connection.
  call.on('error', () => undefined);
  return { status: answer.statusCode, body: JSON.parse(await text(answer)) };
}

const signatureOf = (payload: string): Record<string, string> => ({
  'stripe-signature': Stripe.webhooks.generateTestHeaderString({ payload, secret }),
});

describe('WH1 raw bytes from a socket', () => {
  test('a body in many pieces, cut within characters, is verified as a whole', async () => {
    const payload = eventBody('evt_pieces');
    const bytes = Buffer.from(payload);
    const pieces = Array.from({ length: bytes.length }, (_, index) =>
      bytes.subarray(index, index + 1),
    );
    const answer = await send(pieces, signatureOf(payload));
    expect(answer).toEqual({ status: 200, body: { outcome: 'accepted' } });
    expect(await services.webhookEvents.get('evt_pieces')).toMatchObject({ status: 'received' });
  });

  test.each([
    ['of no announced length', 2, {}],
    ['announced as too large', 2, { 'content-length': 2 * mebibyte }],
  ])('a body %s over 1 MiB: 413 and its reason', async (_name, mebibytes, headers) => {
    const pieces = Array.from({ length: mebibytes * 16 }, () => Buffer.alloc(mebibyte / 16, 32));
    expect(await send(pieces, { ...headers, ...signatureOf('x') })).toEqual({
      status: 413,
      body: { error: 'too_large', message: 'the body is larger than 1048576 bytes' },
    });
  });

  test('a caller that hangs up within the body: nothing is stored, the next one is served', async () => {
    const payload = eventBody('evt_cut');
    const headers = { ...signatureOf(payload), 'content-length': Buffer.byteLength(payload) };
    const call = request({
      host: '127.0.0.1',
      port,
      path: '/webhooks/stripe',
      method: 'POST',
      headers,
    });
    const broken = new Promise((resolve) => call.once('error', resolve));
    await new Promise((resolve) => call.write(payload.slice(0, 50), resolve));
    call.destroy(new Error('hung up'));
    await broken;
    const next = eventBody('evt_next');
    expect(await send([Buffer.from(next)], signatureOf(next))).toMatchObject({ status: 200 });
    expect(await services.webhookEvents.get('evt_cut')).toBeUndefined();
  });
});
