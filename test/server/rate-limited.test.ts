/** The limit in front of a route: headers, refusals and whom it counts. */
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { errorWriter } from '../../server/errors.ts';
import { countRequest, obeyRateLimit } from '../../server/middleware/rate-limited.ts';
import type { LimitedActor } from '../../server/middleware/rate-limited.ts';
import { createRateLimit } from '../../server/rate-limit.ts';

/** A route that the actor of the header `x-actor` calls: a key's hash, or the operator. */
function appWithLimit(perMinute: number) {
  const logger = createLogger('test', 'silent');
  const limit = createRateLimit({ perMinute, metrics: createMetrics(), logger });
  const app = new Hono<{ Variables: { actor: LimitedActor } }>();
  app.onError(errorWriter(logger));
  app.use(async (ctx, next) => {
    const keyHash = ctx.req.header('x-actor') ?? '';
    const operator = keyHash === 'operator';
    ctx.set('actor', operator ? { kind: 'operator' } : { kind: 'customer', apiKey: { keyHash } });
    await next();
  });
  app.use(async (ctx, next) => {
    await countRequest(ctx, ctx.get('actor'), limit);
    await next();
  });
  app.get('/', (ctx) => ctx.json({ done: true }));
  app.get('/breaks', () => {
    throw new Error('inside');
  });
  return async (actor: string, path = '/') => {
    const answer = await app.request(path, { headers: { 'x-actor': actor } });
    const fields = ['ratelimit-policy', 'ratelimit', 'retry-after'] as const;
    return {
      status: answer.status,
      body: (await answer.json()) as unknown,
      headers: fields.map((name) => answer.headers.get(name)),
    };
  };
}

describe('GA4 the limit over HTTP', () => {
  test('GA4 each answer tells the policy and what is left; the one too many is 429 with Retry-After', async () => {
    const call = appWithLimit(2);
    const policy = '"default";q=2;w=60';
    expect(await call('key-1')).toEqual({
      status: 200,
      body: { done: true },
      headers: [policy, '"default";r=1;t=60', null],
    });
    expect(await call('key-1')).toMatchObject({ status: 200 });
    const refused = await call('key-1');
    const [, left, retryAfter] = refused.headers;
    expect(retryAfter).toMatch(/^[1-9][0-9]?$/);
    expect(left).toBe(`"default";r=0;t=${retryAfter}`);
    expect(refused).toEqual({
      status: 429,
      body: {
        error: 'rate_limited',
        message: `more than 2 requests in a minute with this key: try again in ${retryAfter} s`,
      },
      headers: [policy, left, retryAfter],
    });
    expect(await call('key-2')).toMatchObject({ status: 200 });
  });

  test('GA4 operators have no limit and hear of none', async () => {
    const call = appWithLimit(1);
    for (const _ of Array.from({ length: 3 })) {
      expect(await call('operator')).toEqual({
        status: 200,
        body: { done: true },
        headers: [null, null, null],
      });
    }
  });

  test('GA4 an answer that fails later tells the limit too', async () => {
    const call = appWithLimit(2);
    expect(await call('key-1', '/breaks')).toMatchObject({
      status: 500,
      headers: ['"default";q=2;w=60', '"default";r=1;t=60', null],
    });
  });

  test('GA4 a route that asks for itself puts the headers on its refusal too', async () => {
    const app = new Hono();
    app.onError(errorWriter(createLogger('test', 'silent')));
    app.get('/', (ctx) => {
      obeyRateLimit(ctx, { allowed: false, limit: 5, remaining: 0, resetSeconds: 7 });
      return ctx.text('not reached');
    });
    const answer = await app.request('/');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '7']);
    expect(answer.headers.get('ratelimit')).toBe('"default";r=0;t=7');
  });
});
