/** The limits of AGENTS.md: size, default exports, and who reads the environment. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const product = [
  'domain',
  'workflows',
  'activities',
  'tables',
  'platform',
  'engine',
  'operations',
  'server',
  'web',
  'worker',
  'cli',
  'dev',
  'stripe-double',
];

interface Source {
  file: string;
  text: string;
}

function sourcesIn(folder: string): Source[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/\/(node_modules|dist)\//.test(path))
    .map((path) => ({ file: relative(root, path), text: readFileSync(path, 'utf8') }));
}

const present = new Set(readdirSync(root));
const sources = product.filter((folder) => present.has(folder)).flatMap(sourcesIn);
const everything = [
  ...sources,
  ...sourcesIn('test'),
  ...readdirSync(root)
    .filter((name) => name.endsWith('.ts'))
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') })),
];

const filesWhere = (list: readonly Source[], breaks: (text: string) => boolean): string[] =>
  list.filter(({ text }) => breaks(text)).map(({ file }) => file);

const mostLines = 250;
const isLong = (text: string): boolean => text.trimEnd().split('\n').length > mostLines;

const hasDefaultExport = (text: string): boolean =>
  /^\s*export\s+default\b|^\s*export\s*\{[^}]*\bas\s+default\b/m.test(text);

const readsEnvironment = (text: string): boolean =>
  /\bprocess\s*\??\.\s*env\b|\bprocess\s*\[\s*['"]env|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/.test(
    text,
  ) || /import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*['"](node:)?process['"]/.test(text);

const isConfig = (file: string): boolean => /(^|\/)[\w-]+\.config\.ts$/.test(file);

describe('limits of the source', () => {
  test('the source was found', () => {
    const folders = new Set(sources.map(({ file }) => file.split('/')[0] ?? ''));
    expect([...folders].toSorted()).toStrictEqual(
      product.filter((folder) => present.has(folder)).toSorted(),
    );
    expect(product.filter((folder) => folder !== 'web' && !present.has(folder))).toStrictEqual([]);
  });

  test('a file has at most 250 lines', () => {
    expect(filesWhere(sources, isLong)).toStrictEqual([]);
  });

  test('nothing but a tool’s configuration is exported as default', () => {
    const found = filesWhere(everything, hasDefaultExport);
    expect(found.filter((file) => !isConfig(file))).toStrictEqual([]);
  });

  test('one place of the product and one of dev/ read the environment', () => {
    const own = 'test/house/limits.test.ts';
    const found = filesWhere(everything, readsEnvironment);
    expect(found.filter((file) => !isConfig(file) && file !== own).toSorted()).toStrictEqual([
      'dev/environment.ts',
      'platform/config.ts',
    ]);
  });
});

describe('one way into the tables', () => {
  const usersOf = (word: RegExp): string[] =>
    sources
      .filter(({ file, text }) => file.startsWith('tables/') && word.test(text))
      .map(({ file }) => file);

  test('an index is asked by queryIndex, which knows those of schema.ts', () => {
    expect(usersOf(/\bIndexName:/)).toStrictEqual(['tables/create.ts', 'tables/dynamo.ts']);
  });

  test('a row is changed by updateIf, on a condition', () => {
    expect(usersOf(/\bUpdateCommand\b/)).toStrictEqual(['tables/dynamo.ts']);
    expect(usersOf(/\bConditionalCheckFailed/)).toStrictEqual(['tables/dynamo.ts']);
  });
});

describe('what these checks would find', () => {
  test.each([
    'export default function start() {}',
    'export default { a: 1 };',
    '  export { start as default };',
  ])('a default export: %s', (text) => {
    expect(hasDefaultExport(`const a = 1;\n${text}\n`)).toBe(true);
  });

  test.each([
    'const port = process.env.PORT;',
    'const port = process.env["PORT"];',
    "const all = process['env'];",
    'const { env } = process;',
    'const { argv, env: all } = process;',
    "import { env } from 'node:process';",
    'const all = process?.env;',
  ])('the environment: %s', (text) => {
    expect(readsEnvironment(text)).toBe(true);
  });

  test.each(['const env = { a: 1 };', 'spawn(command, { env });', 'const { env } = spec;'])(
    'not the environment: %s',
    (text) => {
      expect(readsEnvironment(text)).toBe(false);
    },
  );

  test('a file of 251 lines, not of 250', () => {
    expect([isLong('x\n'.repeat(250)), isLong('x\n'.repeat(251))]).toStrictEqual([false, true]);
  });
});
