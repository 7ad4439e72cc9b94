/** `/healthz` (the process lives), `/readyz` (what it needs answers), `/metrics`. */
import { Hono } from 'hono';
import type { Registry } from 'prom-client';

/** What the server needs, each with a question that fails when it is away. */
export type ReadinessProbes = Readonly<Record<string, () => Promise<unknown>>>;

/** A probe that has not answered by then counts as down. */
const probeTimeoutMs = 2000;

export function healthRoutes(probes: ReadinessProbes, registry: Registry): Hono {
  const routes = new Hono();
  routes.get('/healthz', (ctx) => ctx.json({ status: 'ok' }));
  routes.get('/readyz', async (ctx) => {
    const names = Object.keys(probes);
    const answers = await Promise.all(
      Object.values(probes).map(async (probe) => await answersInTime(probe)),
    );
    const down = names.filter((_, index) => answers[index] !== true);
    const message = `not answering: ${down.join(', ')}`;
    return down.length === 0
      ? ctx.json({ status: 'ready' })
      : ctx.json({ error: 'unavailable', message, down }, 503);
  });
  routes.get('/metrics', async (ctx) => {
    ctx.header('Content-Type', registry.contentType);
    return ctx.body(await registry.metrics());
  });
  return routes;
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
