import { describe, expect, test } from 'vitest';
import { createTestApp } from './support.ts';

const { app } = createTestApp();
const get = async (path: string) => await app.request(`http://localhost${path}`);

describe('GET /docs/try', () => {
  test('loads files of this server alone, each with its type', async () => {
    const answer = await get('/docs/try');
    const page = await answer.text();
    expect([answer.status, answer.headers.get('Content-Type')]).toEqual([
      200,
      'text/html; charset=UTF-8',
    ]);
    const loaded = [...page.matchAll(/(?:src|rel="stylesheet" href)="([^"]+)"/g)].map(
      ([, path]) => path ?? '',
    );
    expect(loaded).toEqual([
      '/docs/try/swagger-ui.css',
      '/docs/try/swagger-ui-bundle.js',
      '/docs/try/start.js',
    ]);
    expect(page).not.toMatch(/<script>|style=|https?:/);
    for (const path of loaded) {
      const file = await get(path);
      const type = path.endsWith('.css') ? 'text/css' : 'text/javascript';
      expect([file.status, file.headers.get('Content-Type')]).toEqual([
        200,
        `${type}; charset=UTF-8`,
      ]);
      expect(file.headers.get('X-Content-Type-Options')).toBe('nosniff');
      expect((await file.text()).length).toBeGreaterThan(100);
    }
  });

  test('its policy lets nothing out and nobody frame it', async () => {
    const policy = (await get('/docs/try')).headers.get('Content-Security-Policy') ?? '';
    const rules = Object.fromEntries(
      policy.split('; ').map((rule) => {
        const [name = '', ...sources] = rule.split(' ');
        return [name, sources.join(' ')];
      }),
    );
    expect(rules).toEqual({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self' 'unsafe-inline'",
      'img-src': "'self' data:",
      'connect-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
    });
  });

  test('a key is kept nowhere, and nobody else is asked to judge the document', async () => {
    const start = await (await get('/docs/try/start.js')).text();
    expect(start).toContain('persistAuthorization: false');
    expect(start).toContain('validatorUrl: null');
  });

  test.each([
    '/docs/try/package.json',
    '/docs/try/swagger-ui-bundle.js.map',
    '/docs/try/../../package.json',
    '/docs/try/..%2f..%2fpackage.json',
    '/docs/try/%2e%2e/package.json',
    '/docs/try//swagger-ui.css',
    '/docs/try/swagger-ui.css%00',
    '/docs/try/swagger-ui.css/',
  ])('no other file is reached by %s', async (path) => {
    expect((await get(path)).status).toBe(404);
  });
});
