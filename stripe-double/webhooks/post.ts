import type { Attempt } from './deliveries.ts';

/**
 * Posts a payload as Stripe does: raw JSON, signed, redirects not followed, an answer in time or
 * none. `signature` undefined sends none.
 */
export async function post(
  url: string,
  payload: string,
  signature: string | undefined,
  timeoutMs: number,
  stopping: AbortSignal,
): Promise<Attempt> {
  const atMs = Date.now();
  const startedMs = performance.now();
  const answer = await send(url, payload, signature, timeoutMs, stopping);
  return { atMs, ms: Math.round(performance.now() - startedMs), ...answer };
}

async function send(
  url: string,
  payload: string,
  signature: string | undefined,
  timeoutMs: number,
  stopping: AbortSignal,
): Promise<Pick<Attempt, 'status' | 'error'>> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: payload,
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), stopping]),
      headers: {
        accept: '*/*; q=0.5, application/xml',
        'cache-control': 'no-cache',
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
        ...(signature === undefined ? {} : { 'stripe-signature': signature }),
      },
    });
    // Read to its end, so that the connection can be used again.
    await response.arrayBuffer();
    return { status: response.status, error: null };
  } catch (error) {
    return { status: null, error: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
