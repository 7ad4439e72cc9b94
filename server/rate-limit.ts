/** The limit of requests a minute and key (GA4): by all processes together where there is a Redis. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import { openSharedCounter } from './shared-counter.ts';

export interface RateLimitResult {
  allowed: boolean;
  /** Requests a minute. */
  limit: number;
  /** How many more would pass now. */
  remaining: number;
  /** Until the count begins again: whole seconds, one at least. */
  resetSeconds: number;
}

export interface RateLimit {
  /** Counts a request of this key. Never throws; while Redis is away this process counts by itself. */
  take: (keyId: string) => Promise<RateLimitResult>;
  close: () => void;
}

export interface RateLimitOptions {
  perMinute: number;
  /** Without it the process counts by itself, and that is no failure. */
  redisUrl?: string | undefined;
  metrics: Pick<Metrics, 'rateLimited' | 'rateLimitLocal' | 'redisErrors'>;
  logger: Logger;
  /** How long Redis may take to answer. */
  patienceMs?: number;
}

const usualPatienceMs = 50;
/** While Redis is away it is asked this often whether it is back. */
const askAgainMs = 1000;

type Count = (keyId: string) => Promise<RateLimiterRes>;

export function createRateLimit(options: RateLimitOptions): RateLimit {
  const { perMinute, redisUrl, metrics } = options;
  const memory = new RateLimiterMemory({ points: perMinute, duration: 60 });
  const own: Count = async (keyId) => await memory.consume(keyId);
  const { count, close } =
    redisUrl === undefined
      ? { count: own, close: () => undefined }
      : countTogether({ ...options, redisUrl }, own);
  return {
    take: async (keyId) => {
      const result = await outcome(perMinute, count(keyId));
      if (!result.allowed) metrics.rateLimited.inc();
      return result;
    },
    close,
  };
}

/** Refused is an answer, which the library throws; anything else that it throws is an error. */
async function outcome(limit: number, counted: Promise<RateLimiterRes>): Promise<RateLimitResult> {
  let allowed = true;
  const res = await counted.catch((error: unknown) => {
    if (!(error instanceof RateLimiterRes)) throw error;
    allowed = false;
    return error;
  });
  return {
    allowed,
    limit,
    remaining: Math.max(res.remainingPoints, 0),
    resetSeconds: Math.max(Math.ceil(res.msBeforeNext / 1000), 1),
  };
}

/**
 * Counts in Redis, and after an error by `own` until Redis has counted again for a key of nobody's. A
 * change over begins a new count: a key may have its limit once more in that minute.
 */
function countTogether(
  options: RateLimitOptions & { redisUrl: string },
  own: Count,
): { count: Count; close: () => void } {
  const { metrics, logger, patienceMs = usualPatienceMs } = options;
  let state: 'opening' | 'together' | 'alone' = 'opening';
  let asking: NodeJS.Timeout | undefined;
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });

  const fail = (err: unknown): void => {
    metrics.redisErrors.inc();
    open();
    if (state === 'alone') return;
    state = 'alone';
    metrics.rateLimitLocal.set(1);
    logger.warn({ err }, 'Redis is away: this process counts the rate limit by itself');
    asking = setInterval(() => void askAgain(), askAgainMs);
    asking.unref();
  };
  let isAsking = false;
  /** One at a time: a question that failed on an old connection must not undo the answer on the new one. */
  const askAgain = async (): Promise<void> => {
    if (isAsking) return;
    isAsking = true;
    try {
      await outcome(options.perMinute, shared.consume('probe'));
    } catch (error) {
      fail(error);
      return;
    } finally {
      isAsking = false;
    }
    if (state === 'alone') logger.info('Redis is back: the rate limit is shared again');
    state = 'together';
    clearInterval(asking);
    metrics.rateLimitLocal.set(0);
    open();
  };
  const shared = openSharedCounter({
    ...options,
    patienceMs,
    onReady: () => void askAgain(),
    onError: fail,
  });

  return {
    count: async (keyId) => {
      if (state === 'opening') await atMost(patienceMs, opened);
      if (state === 'alone') return await own(keyId);
      try {
        return await shared.consume(keyId);
      } catch (error) {
        if (error instanceof RateLimiterRes) throw error;
        fail(error);
        return await own(keyId);
      }
    },
    close: () => {
      clearInterval(asking);
      shared.close();
    },
  };
}

async function atMost(ms: number, promise: Promise<void>): Promise<void> {
  let handle: NodeJS.Timeout | undefined;
  const up = new Promise<void>((resolve) => {
    handle = setTimeout(resolve, ms);
  });
  await Promise.race([promise, up]);
  clearTimeout(handle);
}
