/** Against a real Valkey; a limiter is what one process has. */
import { afterEach, beforeAll, afterAll, describe, expect, test, vi } from 'vitest';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { createRateLimit } from '../../server/rate-limit.ts';
import type { RateLimit, RateLimitResult } from '../../server/rate-limit.ts';
import { startTestValkey } from '../support/valkey.ts';
import type { TestValkey } from '../support/valkey.ts';
import { linesOf } from './support.ts';

let valkey: TestValkey;
const limits: RateLimit[] = [];
beforeAll(async () => {
  valkey = await startTestValkey();
});
afterEach(() => {
  for (const limit of limits.splice(0)) limit.close();
});
afterAll(async () => {
  await valkey.stop();
});

/** Of a process of its own. Patient unless the test is about that: a busy machine is no dead Redis. */
function startLimit(options: { shared?: boolean; perMinute?: number; patienceMs?: number } = {}) {
  const { shared = true, perMinute = 60, patienceMs = 15_000 } = options;
  const metrics = createMetrics();
  const { destination, lines } = linesOf();
  const limit = createRateLimit({
    perMinute,
    redisUrl: shared ? valkey.url : undefined,
    metrics,
    logger: createLogger('server', 'info', destination),
    patienceMs,
  });
  limits.push(limit);
  const valueOf = async (metric: { get: () => Promise<{ values: { value: number }[] }> }) =>
    (await metric.get()).values[0]?.value;
  return {
    limit,
    lines,
    refused: async () => await valueOf(metrics.rateLimited),
    alone: async () => await valueOf(metrics.rateLimitLocal),
    errors: async () => await valueOf(metrics.redisErrors),
  };
}

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const passed = (results: readonly RateLimitResult[]): number =>
  results.filter(({ allowed }) => allowed).length;
const redisKey = (keyId: string): string => `durabill:rate:${keyId}`;

describe('GA4 the limit of a minute and key', () => {
  test.each([{ shared: false }, { shared: true }])(
    'GA4 60 pass, the 61st is refused, and another key is not (%o)',
    async (kind) => {
      const { limit, refused, errors } = startLimit(kind);
      const first = await limit.take(`one-${kind.shared}`);
      expect(first).toEqual({ allowed: true, limit: 60, remaining: 59, resetSeconds: 60 });
      for (const remaining of times(59, (index) => 58 - index)) {
        expect(await limit.take(`one-${kind.shared}`)).toMatchObject({ allowed: true, remaining });
      }
      const last = await limit.take(`one-${kind.shared}`);
      expect(last).toMatchObject({ allowed: false, limit: 60, remaining: 0 });
      expect(last.resetSeconds).toBeGreaterThanOrEqual(1);
      expect(last.resetSeconds).toBeLessThanOrEqual(60);
      expect(await limit.take(`other-${kind.shared}`)).toMatchObject({ allowed: true });
      expect([await refused(), await errors()]).toEqual([1, 0]);
    },
  );

  test('GA4 200 requests at once by two processes: 60 pass over both', async () => {
    const [one, other] = [startLimit(), startLimit()];
    const results = await Promise.all(
      times(200, async (index) => await (index % 2 === 0 ? one : other).limit.take('both')),
    );
    expect(passed(results)).toBe(60);
    expect(((await one.refused()) ?? 0) + ((await other.refused()) ?? 0)).toBe(140);
    expect(await valkey.client.get(redisKey('both'))).toMatch(/^\d+$/);
    expect([await one.alone(), await other.alone()]).toEqual([0, 0]);
  });

  test('GA4 the minute over, the key has its requests again', async () => {
    const { limit } = startLimit({ perMinute: 2 });
    expect(passed(await Promise.all(times(3, async () => await limit.take('again'))))).toBe(2);
    await valkey.client.del(redisKey('again'));
    // Another process: this one remembers for the minute that the key is over.
    expect(await startLimit({ perMinute: 2 }).limit.take('again')).toMatchObject({ allowed: true });
  });
});

describe('GA14 a counter without an expiry', () => {
  test('GA14 under the limit: the next request gives it its minute back', async () => {
    const { limit } = startLimit({ perMinute: 2 });
    await limit.take('lost');
    expect(await valkey.client.persist(redisKey('lost'))).toBe(1);
    expect(await limit.take('lost')).toMatchObject({
      allowed: true,
      remaining: 0,
      resetSeconds: 60,
    });
    expect(await valkey.client.pttl(redisKey('lost'))).toBeGreaterThan(0);
  });

  test('GA14 over the limit: refused for a minute, then the key is free', async () => {
    await valkey.client.set(redisKey('locked'), 1000);
    const refused = await startLimit({ perMinute: 2 }).limit.take('locked');
    expect(refused).toMatchObject({ allowed: false, resetSeconds: 60 });
    const left = await valkey.client.pttl(redisKey('locked'));
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(60_000);
    await valkey.client.pexpire(redisKey('locked'), 1);
    await vi.waitUntil(async () => (await valkey.client.exists(redisKey('locked'))) === 0);
    expect(await startLimit({ perMinute: 2 }).limit.take('locked')).toMatchObject({
      allowed: true,
      remaining: 1,
    });
  });
});

describe('GA4 while Redis is away', () => {
  const isBack = async (process: ReturnType<typeof startLimit>): Promise<void> => {
    await vi.waitUntil(async () => (await process.alone()) === 0, { timeout: 300_000 });
  };

  test('GA4 Redis is killed: the process counts by itself, says so, and shares again when it is back', async () => {
    const process = startLimit({ perMinute: 3 });
    expect(await process.limit.take('killed')).toMatchObject({ allowed: true, remaining: 2 });
    await valkey.kill();
    const results = await Promise.all(times(5, async () => await process.limit.take('killed')));
    expect(passed(results)).toBe(3);
    expect(await process.alone()).toBe(1);
    expect(await process.errors()).toBeGreaterThanOrEqual(1);
    await valkey.restart();
    await isBack(process);
    expect(await process.limit.take('killed')).toMatchObject({ allowed: true, remaining: 2 });
    expect(await valkey.client.get(redisKey('killed'))).toBe('1');
    const told = process.lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(told).toEqual([
      'Redis is away: this process counts the rate limit by itself',
      'Redis is back: the rate limit is shared again',
    ]);
    expect(process.lines.join('')).not.toContain('killed');
  });

  test('GA4 Redis hangs: an answer all the same, counted here, and nothing is sent twice', async () => {
    const process = startLimit({ perMinute: 3, patienceMs: 50 });
    await vi.waitUntil(async () => {
      await process.limit.take('warm');
      return (await valkey.client.exists(redisKey('warm'))) === 1;
    });
    await isBack(process);
    await valkey.hang();
    try {
      const results = await Promise.all(times(5, async () => await process.limit.take('hung')));
      expect(passed(results)).toBe(3);
      expect(await process.alone()).toBe(1);
      // From here on it does not ask: one more answer while Redis still hangs.
      expect(await process.limit.take('hung')).toMatchObject({ allowed: false });
    } finally {
      valkey.resume();
    }
    await isBack(process);
    expect(Number(await valkey.client.get(redisKey('hung')))).toBeLessThanOrEqual(5);
  });

  test('GA4 Redis is away from the start: the first request is answered', async () => {
    await valkey.hang();
    try {
      const process = startLimit({ perMinute: 1, patienceMs: 50 });
      expect(await process.limit.take('start')).toMatchObject({ allowed: true, remaining: 0 });
      expect(await process.limit.take('start')).toMatchObject({ allowed: false });
    } finally {
      valkey.resume();
    }
  });
});
