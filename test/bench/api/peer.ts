/**
 * What is measured beside ours, as a process: `bare` is a route that answers, `start` also begins the processing
 * without asking anything, `redis` is the same guard as ours made of Redis alone (rate-limiter-flexible for
 * budget and rate), which forgets what it counted when Redis does, and starts nothing.
 */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { createEngine } from '../../../engine/engine.ts';
import { parseConfig, readEnvironment } from '../../../platform/config.ts';
import { createTemporalClient } from '../../../platform/temporal.ts';
import { castCents, wideBudgetCents } from './options.ts';

const environment = readEnvironment();
const config = parseConfig(environment);
const [, , mode] = process.argv;
const month = 30 * 86_400;
let casts = 0;

const app = new Hono();
app.get('/healthz', (ctx) => ctx.text('ok'));

if (mode === 'start') {
  const temporal = createTemporalClient(config, environment);
  const engine = createEngine(temporal, { taskQueue: config.TASK_QUEUE });
  app.post('/v1/cast', async (ctx) => {
    const { files } = await ctx.req.json<{ files: { key: string }[] }>();
    casts += 1;
    const processingId = `peer-${casts}`;
    const customerId = ctx.req.header('authorization') ?? '';
    const keys = files.map(({ key }) => key);
    await engine.startProcessing({ processingId, customerId, files: keys });
    return ctx.json({ processingId }, 202);
  });
} else if (mode === 'redis') {
  const storeClient = new Redis(config.REDIS_URL ?? '');
  const limiter = (keyPrefix: string, points: number, duration: number) =>
    new RateLimiterRedis({ storeClient, keyPrefix, points, duration });
  const wide = limiter('budget', wideBudgetCents, month);
  const narrow = limiter('narrow', 1, month);
  const rates = limiter('rate', 1_000_000, 60);
  const fewer = limiter('fewer', 1, 60);
  app.post('/v1/cast', async (ctx) => {
    const who = ctx.req.header('authorization');
    await ctx.req.json();
    if (who === undefined) return ctx.json({ error: 'unauthorized' }, 401);
    const passes = async (limit: RateLimiterRedis, points: number): Promise<boolean> =>
      await limit.consume(who, points).then(
        () => true,
        () => false,
      );
    if (!(await passes(who === 'poor' ? narrow : wide, castCents))) {
      return ctx.json({ error: 'budget_exceeded' }, 402);
    }
    if (!(await passes(who === 'busy' ? fewer : rates, 1))) {
      return ctx.json({ error: 'rate_limited' }, 429);
    }
    return ctx.json({ processingId: 'none' }, 202);
  });
} else {
  app.post('/v1/cast', async (ctx) => ctx.json(await ctx.req.json(), 202));
}
const server = serve({ fetch: app.fetch, hostname: config.HOST, port: config.PORT });

process.once('SIGTERM', () => {
  server.close();
  process.exit();
});
