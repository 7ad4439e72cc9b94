import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { renderDocsPage } from '../../server/docs-page.ts';
import { shapeOf } from '../../server/docs-shape.ts';
import { createTestApp } from './support.ts';

async function readPage() {
  const { app } = createTestApp();
  const answer = await app.request('/docs');
  return { app, answer, page: await answer.text() };
}

describe('GET /docs', () => {
  test('lists every path of the document with who, what and every answer', async () => {
    const { app, answer, page } = await readPage();
    expect([answer.status, answer.headers.get('Content-Type')]).toEqual([
      200,
      'text/html; charset=UTF-8',
    ]);
    const { paths } = (await (await app.request('/openapi.json')).json()) as {
      paths: Record<string, Record<string, { responses: object; 'x-who': string }>>;
    };
    const told = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { responses, 'x-who': who }]) => {
        return [method.toUpperCase(), path, who, ...Object.keys(responses)];
      }),
    );
    const shown = page
      .split('<article>')
      .slice(1)
      .map((card) => [
        /class="method">(\w+)</.exec(card)?.[1],
        /<h3>.*?<code>(.*?)<\/code>/s.exec(card)?.[1],
        /<dt>Who<\/dt>\s*<dd>(.*?)(?:, by\b|<\/dd>)/s.exec(card)?.[1]?.trim(),
        ...[...card.matchAll(/class="status \w+">(\d+)</g)].map(([, status]) => status),
      ]);
    const lines = (cards: (string | undefined)[][]) =>
      cards.map((card) => card.join(' ')).toSorted();
    expect(lines(shown)).toEqual(lines(told));
    expect(shown.length).toBeGreaterThan(7);
  });

  test('shows what an address takes, and whether a body may be left out', async () => {
    const { app, page } = await readPage();
    const [, takes = ''] =
      /<code>\/v1\/dead-letters<\/code>[^]*?<dt>Takes<\/dt>([^]*?)<\/dd>/.exec(page) ?? [];
    const names = [...takes.matchAll(/<code>(\w+\??): /g)].map(([, name]) => name);
    expect(names).toEqual(['kind?', 'status?', 'limit?', 'cursor?']);
    const { paths } = (await (await app.request('/openapi.json')).json()) as {
      paths: Record<string, Record<string, { requestBody?: { required?: boolean } }>>;
    };
    const optional = Object.values(paths)
      .flatMap((methods) => Object.values(methods))
      .filter(({ requestBody }) => requestBody !== undefined && requestBody.required !== true);
    expect(optional.length).toBeGreaterThan(0);
    expect(page.split('may be left out; ')).toHaveLength(optional.length + 1);
  });

  test('loads nothing and runs nothing; its policy allows its own style only', async () => {
    const { answer, page } = await readPage();
    expect(page).not.toMatch(/<script|@import|url\(|https?:|<img|<iframe|\son\w+=/i);
    const links = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link]) => link);
    expect(links).toEqual(['data:,', '/openapi.json', '/docs/try']);
    const style = /<style>([^]*?)<\/style>/.exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(answer.headers.get('Content-Security-Policy')).toContain(
      `default-src 'none'; style-src 'sha256-${hash}';`,
    );
    expect(page).not.toContain(' style="');
    expect(style).toContain('@media (prefers-color-scheme: dark)');
    expect(style).toContain('@media (max-width: 520px)');
    expect(page).toContain(
      '<meta name="viewport" content="width=device-width, initial-scale=1" />',
    );
  });

  test('what the document says is escaped', async () => {
    const { app } = createTestApp();
    const document = app.getOpenAPI31Document({
      openapi: '3.1.0',
      info: { title: '<b>T</b>', version: '1', description: '<script>alert(1)</script>' },
      tags: [{ name: 'Operation', description: '"&<i>' }],
    });
    const page = await renderDocsPage(document);
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toMatch(/<script|<b>|<i>/);
  });
});

describe('a shape in one line', () => {
  test.each([
    [{ type: 'string' }, 'string'],
    [{ type: ['integer', 'string'] }, 'integer | string'],
    [{ $ref: '#/components/schemas/Error' }, 'Error'],
    [{ type: 'string', enum: ['a', 'b'] }, '"a" | "b"'],
    [{ const: 1 }, '1'],
    [{ anyOf: [{ $ref: '#/components/schemas/A' }, { type: 'string' }] }, 'A | string'],
    [{ type: 'array', items: { type: 'string' } }, 'string[]'],
    [
      { type: 'object', required: ['a'], properties: { a: { type: 'string' }, b: {} } },
      '{ a: string, b?: any }',
    ],
  ])('%j', (schema, line) => {
    expect(shapeOf(schema)).toBe(line);
  });
});
