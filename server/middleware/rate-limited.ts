/** The rate limit in front of customers' routes, and what it says in headers. */
import type { Context } from 'hono';
import { BillingError } from '../../domain/errors.ts';
import type { RateLimit, RateLimitResult } from '../rate-limit.ts';

/** Who calls, as far as the limit asks: operators have none. */
export type LimitedActor = { kind: 'operator' } | { kind: 'customer'; apiKey: { keyHash: string } };

/** Of a key that the door found good. Throws BillingError `rate_limited`. */
export async function countRequest(
  ctx: Pick<Context, 'header'>,
  actor: LimitedActor,
  limit: Pick<RateLimit, 'take'>,
): Promise<void> {
  if (actor.kind === 'customer') obeyRateLimit(ctx, await limit.take(actor.apiKey.keyHash));
}

/** Puts the headers on the answer, whatever it becomes; throws BillingError `rate_limited` when refused. */
export function obeyRateLimit(ctx: Pick<Context, 'header'>, result: RateLimitResult): void {
  for (const [name, value] of Object.entries(rateLimitHeaders(result))) ctx.header(name, value);
  if (result.allowed) return;
  const { limit, resetSeconds } = result;
  throw new BillingError(
    'rate_limited',
    `more than ${limit} requests in a minute with this key: try again in ${resetSeconds} s`,
  );
}

/**
 * `RateLimit-Policy` and `RateLimit` as draft-ietf-httpapi-ratelimit-headers-10 writes them (quota and
 * window; what is left, and the seconds until it is whole again), `Retry-After` of RFC 9110 on a refusal.
 */
function rateLimitHeaders(result: RateLimitResult): Record<string, string> {
  const { allowed, limit, remaining, resetSeconds } = result;
  return {
    'RateLimit-Policy': `"default";q=${limit};w=60`,
    RateLimit: `"default";r=${remaining};t=${resetSeconds}`,
    ...(allowed ? {} : { 'Retry-After': String(resetSeconds) }),
  };
}
