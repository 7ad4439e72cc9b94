/** Counts a minute's requests in Redis, so that all processes share one count. */
import { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { RateLimiterRes } from 'rate-limiter-flexible';

/** How long a connection may take to open, or be silent under a question, and the pause before the next one. */
const connectionMs = 1000;

export interface SharedCounter {
  /**
   * Counts one. Throws RateLimiterRes when that is one too many, and an Error when Redis did not say so
   * in time: whether it counted is then not known.
   */
  consume: (keyId: string) => Promise<RateLimiterRes>;
  close: () => void;
}

interface SharedCounterOptions {
  redisUrl: string;
  perMinute: number;
  patienceMs: number;
  onReady: () => void;
  onError: (error: Error) => void;
}

/**
 * RateLimiterRedis adds, reads the expiry and sets it again where it was lost, in one script (GA14). The
 * client keeps nothing for later: what was queued or sent twice would count in the wrong minute.
 */
export function openSharedCounter(options: SharedCounterOptions): SharedCounter {
  const { redisUrl, perMinute, patienceMs } = options;
  // A connection is not given up while somebody may still wait for its answer.
  const silentMs = Math.max(connectionMs, patienceMs);
  const redis = new Redis(redisUrl, {
    connectTimeout: silentMs,
    socketTimeout: silentMs,
    retryStrategy: () => connectionMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  });
  redis.on('error', options.onError);
  redis.on('ready', options.onReady);
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: 'durabill:rate',
    points: perMinute,
    duration: 60,
    rejectIfRedisNotReady: true,
    // Who is over the limit is refused without asking until the minute is over.
    inMemoryBlockOnConsumed: perMinute,
  });
  return {
    consume: async (keyId) => {
      const late = timer(patienceMs);
      try {
        return await Promise.race([limiter.consume(keyId), late.rejects]);
      } finally {
        late.stop();
      }
    },
    close: () => {
      redis.disconnect();
    },
  };
}

/**
 * When it is up, what has arrived meanwhile is still read: it may be this process that was too busy to
 * look, and not Redis that is late.
 */
function timer(ms: number) {
  let handle: NodeJS.Timeout | undefined;
  const rejects = new Promise<never>((_, reject) => {
    handle = setTimeout(() => {
      setImmediate(reject, new Error(`Redis did not answer within ${ms} ms`));
    }, ms);
  });
  return {
    rejects,
    stop: () => {
      clearTimeout(handle);
    },
  };
}
