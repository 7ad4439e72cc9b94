/** Reads a body as it came, under a cap of our own: signatures are made on the raw bytes. */
import { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import { BillingError } from '../domain/errors.ts';

/**
 * Throws BillingError `too_large` as soon as the cap is passed; nothing more is read then. Behind a
 * socket Node's own stream is read: a web stream around it costs more than the rest of a refusal.
 */
export async function readRawBody({ req, env }: Context, mostBytes: number): Promise<Buffer> {
  const announced = Number(req.header('content-length') ?? 0);
  if (announced > mostBytes) throw tooLarge(mostBytes);
  // Leaving the loop must not end the connection: the refusal goes back on it.
  const source = incomingOf(env)?.iterator({ destroyOnReturn: false }) ?? req.raw.body;
  if (source === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > mostBytes) throw tooLarge(mostBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** What @hono/node-server binds; `app.request` binds nothing. */
function incomingOf(env: unknown): IncomingMessage | undefined {
  const bound = typeof env === 'object' && env !== null && 'incoming' in env ? env.incoming : null;
  return bound instanceof IncomingMessage ? bound : undefined;
}

function tooLarge(mostBytes: number): BillingError {
  return new BillingError('too_large', `the body is larger than ${mostBytes} bytes`);
}
