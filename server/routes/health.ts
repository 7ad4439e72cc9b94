/** `/healthz` (the process lives), `/readyz` (what it needs answers), `/metrics`. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Registry } from 'prom-client';
import type { Metrics } from '../../platform/metrics.ts';
import { errorSchema, failures, jsonAnswer } from '../openapi.ts';

/** What the server needs, each with a question that fails when it is away. */
export type ReadinessProbes = Readonly<Record<string, () => Promise<unknown>>>;

/** A probe that has not answered by then counts as down. */
export const probeTimeoutMs = 2000;

const healthzRoute = createRoute({
  method: 'get',
  path: '/healthz',
  operationId: 'isAlive',
  tags: ['Operation'],
  summary: 'The process lives',
  'x-who': 'anyone',
  responses: {
    200: jsonAnswer('it lives', z.strictObject({ status: z.literal('ok') })),
  },
});

const readyzRoute = createRoute({
  method: 'get',
  path: '/readyz',
  operationId: 'isReady',
  tags: ['Operation'],
  summary: 'What the server needs answers',
  description: `Each need is asked at once and has ${probeTimeoutMs / 1000} seconds.`,
  'x-who': 'anyone',
  responses: {
    200: jsonAnswer('everything answers', z.strictObject({ status: z.literal('ready') })),
    503: jsonAnswer(
      'unavailable: `down` names what does not answer',
      z
        .strictObject({
          ...errorSchema.shape,
          error: z.literal('unavailable'),
          down: z.array(z.string()).min(1),
        })
        .openapi('NotReady'),
    ),
  },
});

const metricsRoute = createRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'readMetrics',
  tags: ['Operation'],
  summary: 'Metrics for Prometheus',
  'x-who': 'anyone',
  responses: {
    200: {
      description: 'Prometheus text, version 0.0.4',
      content: { 'text/plain': { schema: z.string() } },
    },
    ...failures({ internal: 'a metric could not be read' }),
  },
});

/**
 * The routes that operators and their tools ask; none needs a key. Without a registry no `/metrics`; with
 * `needUp`, what is down stands in the metrics too, asked at that moment.
 */
export function healthRoutes(
  probes: ReadinessProbes,
  registry: Registry | undefined,
  needUp?: Metrics['needUp'],
): OpenAPIHono {
  const routes = new OpenAPIHono();
  routes.openapi(healthzRoute, (ctx) => ctx.json({ status: 'ok' as const }, 200));
  routes.openapi(readyzRoute, async (ctx) => {
    const down = (await askAll(probes)).flatMap(({ need, up }) => (up ? [] : [need]));
    const message = `not answering: ${down.join(', ')}`;
    return down.length === 0
      ? ctx.json({ status: 'ready' as const }, 200)
      : ctx.json({ error: 'unavailable' as const, message, down }, 503);
  });
  if (registry === undefined) return routes;
  routes.openapi(metricsRoute, async (ctx) => {
    const needs = needUp === undefined ? [] : await askAll(probes);
    for (const { need, up } of needs) needUp?.set({ need }, up ? 1 : 0);
    const headers = { 'Content-Type': registry.contentType };
    return ctx.text(await registry.metrics(), 200, headers);
  });
  return routes;
}

async function askAll(probes: ReadinessProbes): Promise<{ need: string; up: boolean }[]> {
  return await Promise.all(
    Object.entries(probes).map(async ([need, probe]) => ({ need, up: await answersInTime(probe) })),
  );
}

async function answersInTime(probe: () => Promise<unknown>): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => {
    setTimeout(resolve, probeTimeoutMs, false).unref();
  });
  const asked = async (): Promise<boolean> => {
    try {
      await probe();
      return true;
    } catch {
      return false;
    }
  };
  return await Promise.race([asked(), late]);
}
