import type { Attempt } from './deliveries.ts';
import { post } from './post.ts';
import type { Endpoint } from './schema.ts';
import { machineSeconds, signatureHeader } from './signature.ts';

export const forgeries = [
  'bad_signature',
  'no_signature',
  'old_timestamp',
  'future_timestamp',
  'changed_body',
  'not_json',
] as const;
export type Forgery = { kind: (typeof forgeries)[number]; offSeconds: number };

/** Sends what Stripe would not: once, kept nowhere. It should be refused. */
export async function sendForged(
  { url, secret }: Endpoint,
  payload: string,
  { kind, offSeconds }: Forgery,
  timeoutMs: number,
): Promise<Attempt> {
  const now = machineSeconds();
  const [body, signature] = forge(payload, secret, kind, now, offSeconds);
  return await post(url, body, signature, timeoutMs, new AbortController().signal);
}

function forge(
  payload: string,
  secret: string,
  kind: Forgery['kind'],
  now: number,
  off: number,
): [body: string, signature: string | undefined] {
  switch (kind) {
    case 'bad_signature':
      return [payload, signatureHeader(payload, `${secret}x`, now)];
    case 'no_signature':
      return [payload, undefined];
    case 'old_timestamp':
      return [payload, signatureHeader(payload, secret, now - off)];
    case 'future_timestamp':
      return [payload, signatureHeader(payload, secret, now + off)];
    case 'changed_body':
      return [`${payload} `, signatureHeader(payload, secret, now)];
    case 'not_json':
      return ['{"id":', signatureHeader('{"id":', secret, now)];
  }
}
