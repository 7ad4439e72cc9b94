import { describe, expect, test, vi } from 'vitest';
import { createTestApp } from './support.ts';

const up = async (): Promise<string> => await Promise.resolve('up');
const down = async (): Promise<never> => await Promise.reject(new Error('ECONNREFUSED 10.0.0.7'));
const hangs = async (): Promise<never> => await new Promise<never>(() => undefined);

describe('health', () => {
  test('/healthz says that the process lives, whatever it needs', async () => {
    const answer = await createTestApp({ tables: down }).app.request('/healthz');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ status: 'ok' });
  });

  test('/readyz is ready when everything answers', async () => {
    const answer = await createTestApp({ temporal: up, tables: up }).app.request('/readyz');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ status: 'ready' });
  });

  test('/readyz names what does not answer, and nothing of why', async () => {
    const { app } = createTestApp({ temporal: down, tables: up, objects: down });
    const answer = await app.request('/readyz');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      error: 'unavailable',
      message: 'not answering: temporal, objects',
      down: ['temporal', 'objects'],
    });
  });

  test('/readyz: a probe that fails before it becomes a promise is down too', async () => {
    const throws = (): Promise<never> => {
      throw new Error('no client');
    };
    const answer = await createTestApp({ tables: throws, temporal: up }).app.request('/readyz');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ down: ['tables'] });
  });

  test('/readyz counts a probe that hangs as down after two seconds', async () => {
    vi.useFakeTimers();
    try {
      const { app } = createTestApp({ temporal: hangs, tables: up });
      let answered = false;
      const asked = Promise.resolve(app.request('/readyz')).finally(() => {
        answered = true;
      });
      await vi.advanceTimersByTimeAsync(1999);
      expect(answered).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      const answer = await asked;
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ down: ['temporal'] });
    } finally {
      vi.useRealTimers();
    }
  });

  test('/metrics is Prometheus text with our counters', async () => {
    const { app, metrics } = createTestApp();
    metrics.deliveries.inc({ outcome: 'delivered' });
    metrics.deliveries.inc({ outcome: 'delivered' });
    const answer = await app.request('/metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('Content-Type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await answer.text()).split('\n');
    expect(lines).toContain('# TYPE durabill_deliveries_total counter');
    expect(lines).toContain('durabill_deliveries_total{outcome="delivered"} 2');
  });
});
