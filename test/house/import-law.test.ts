/**
 * The import law of AGENTS.md, proven on planted violations: a project of the same shape is laid out
 * in a temporary folder with the repository's own .oxlintrc.json, and the real oxlint judges it.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';

const root = join(import.meta.dirname, '../..');
const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');

/** A second or two each, but machines are shared. */
const patienceMs = 180_000;

const reportSchema = z.object({
  diagnostics: z.array(z.object({ code: z.string(), message: z.string(), filename: z.string() })),
});

/** `paths` are named where the folder is not a repository: its node_modules would be read as well. */
async function lint(
  cwd: string,
  paths: readonly string[],
): Promise<{ file: string; code: string; message: string }[]> {
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile(
      process.execPath,
      [oxlint, '--format=json', ...paths],
      { cwd, maxBuffer: 64 * 1024 * 1024 },
      (error, output) => {
        // Exit code 1 says that something was found.
        if (error !== null && error.code !== 1) reject(error);
        else resolve(output);
      },
    );
  });
  const { diagnostics } = reportSchema.parse(JSON.parse(stdout));
  return diagnostics.map(({ code, message, filename }) => ({
    file: filename.startsWith('/') ? relative(cwd, filename) : filename,
    code,
    message,
  }));
}

/** Each law and imports that break it, by the folder in which they are planted. */
const forbidden: Record<string, string[]> = {
  domain: [
    'stripe-double/server.ts',
    '../stripe-double/target.ts',
    '../workflows/target.ts',
    '../engine/target.ts',
    '../activities/target.ts',
    '../tables/target.ts',
    '../platform/target.ts',
    '../server/target.ts',
    '../worker/target.ts',
    '../cli/target.ts',
    '../dev/target.ts',
    '../web/target.ts',
    '../test/target.ts',
    'node:fs',
    'node:fs/promises',
    'fs',
    'zod',
    'stripe',
    '@temporalio/workflow',
    '@aws-sdk/client-dynamodb',
    './../server/target.ts',
    './x/../../server/target.ts',
    '../domain/../server/target.ts',
    '/server/target.ts',
    '../operations/target.ts',
  ],
  workflows: [
    'stripe-double/server.ts',
    '../stripe-double/target.ts',
    '../activities/target.ts',
    '../activities/index.ts',
    '../tables/target.ts',
    '../platform/target.ts',
    '../server/target.ts',
    '../worker/target.ts',
    '../cli/target.ts',
    '../dev/target.ts',
    '../test/target.ts',
    'node:crypto',
    'node:timers/promises',
    'crypto',
    'zod',
    'stripe',
    '@temporalio/client',
    '@temporalio/activity',
    '@temporalio/common',
    '../operations/target.ts',
  ],
  engine: [
    'stripe-double/server.ts',
    '../workflows/target.ts',
    '../activities/target.ts',
    '../tables/target.ts',
    '../platform/target.ts',
    '../operations/target.ts',
    '../server/target.ts',
    '../worker/target.ts',
    '../cli/target.ts',
    '../dev/target.ts',
    '../stripe-double/target.ts',
    '../test/target.ts',
    '@temporalio/workflow',
    '@temporalio/activity',
    'stripe',
    'zod',
    'node:fs',
  ],
  'stripe-double': [
    '../domain/target.ts',
    '../engine/target.ts',
    '../tables/target.ts',
    '../platform/target.ts',
    '../dev/target.ts',
    '../test/target.ts',
    '@temporalio/client',
    '@aws-sdk/client-s3',
  ],
  'stripe-double/core': ['../../domain/target.ts', '../../dev/target.ts'],
  tables: [
    'stripe-double/server.ts',
    '../stripe-double/target.ts',
    '../engine/target.ts',
    '../activities/target.ts',
    '../platform/target.ts',
    '../server/target.ts',
    '../worker/target.ts',
    '../cli/target.ts',
    '../dev/target.ts',
    '../test/target.ts',
    '@aws-sdk/client-s3',
    '@aws-sdk/client-secrets-manager',
    'stripe',
    '@temporalio/client',
    'node:fs',
    '../operations/target.ts',
  ],
  platform: [
    'stripe-double/server.ts',
    '../stripe-double/target.ts',
    '../engine/target.ts',
    '../activities/target.ts',
    '../tables/target.ts',
    '../server/target.ts',
    '../worker/target.ts',
    '../cli/target.ts',
    '../dev/target.ts',
    '../web/target.ts',
    '../test/target.ts',
    './../dev/target.ts',
    '@temporalio/workflow',
    '@temporalio/worker',
    'vitest',
    '../operations/target.ts',
  ],
  activities: [
    'stripe-double/server.ts',
    '../stripe-double/target.ts',
    '../workflows/target.ts',
    '../engine/target.ts',
    '../platform/target.ts',
    '../server/target.ts',
    '../worker/target.ts',
    '../cli/target.ts',
    '../dev/target.ts',
    '../web/target.ts',
    '../test/target.ts',
    '@temporalio/workflow',
    '@temporalio/worker',
    'hono',
    'vitest',
    '../operations/target.ts',
  ],
  server: [
    'stripe-double/server.ts',
    '../stripe-double/target.ts',
    '../activities/target.ts',
    '../workflows/target.ts',
    '../workflows/index.ts',
    '../worker/target.ts',
    '../cli/target.ts',
    '../dev/target.ts',
    '../test/target.ts',
    '@temporalio/workflow',
    '@temporalio/worker',
  ],
  'server/routes': [
    '../../activities/target.ts',
    '../../workflows/target.ts',
    '../../dev/target.ts',
  ],
  worker: [
    'stripe-double/server.ts',
    '../stripe-double/target.ts',
    '../workflows/target.ts',
    '../server/target.ts',
    '../cli/target.ts',
    '../dev/target.ts',
    '../web/target.ts',
    '../test/target.ts',
    '@temporalio/workflow',
    'hono',
    '../operations/target.ts',
  ],
  operations: [
    'stripe-double/server.ts',
    '../stripe-double/target.ts',
    '../activities/target.ts',
    '../workflows/target.ts',
    '../workflows/index.ts',
    '../server/target.ts',
    '../worker/target.ts',
    '../cli/target.ts',
    '../dev/target.ts',
    '../web/target.ts',
    '../test/target.ts',
    '@temporalio/workflow',
    '@temporalio/worker',
    'hono',
    'commander',
  ],
  cli: [
    'stripe-double/server.ts',
    '../stripe-double/target.ts',
    '../activities/target.ts',
    '../workflows/target.ts',
    '../workflows/index.ts',
    '../server/target.ts',
    '../worker/target.ts',
    '../dev/target.ts',
    '../web/target.ts',
    '../test/target.ts',
    '@temporalio/worker',
  ],
  dev: [
    'stripe-double/server.ts',
    '../workflows/target.ts',
    '../activities/target.ts',
    '../server/target.ts',
    '../worker/target.ts',
    '../cli/target.ts',
    '../web/target.ts',
    '../test/target.ts',
    '@temporalio/worker',
    'vitest',
    '../operations/target.ts',
  ],
  'dev/stack': ['../../server/target.ts', '../../worker/target.ts', '../../test/target.ts'],
  web: [
    'stripe-double/server.ts',
    '../stripe-double/target.ts',
    '../engine/target.ts',
    '../activities/target.ts',
    '../tables/target.ts',
    '../platform/target.ts',
    '../server/target.ts',
    '../dev/target.ts',
    '../test/target.ts',
    'node:fs',
    '../operations/target.ts',
  ],
};

/** What each folder may import: nothing may be said against it. */
const allowed: Record<string, string[]> = {
  domain: ['./target.ts'],
  workflows: ['../engine/contract.ts', '../domain/target.ts', '@temporalio/workflow'],
  engine: ['./target.ts', '../domain/target.ts', '@temporalio/client', '@temporalio/common'],
  'stripe-double': ['./target.ts', 'stripe', 'hono', 'zod', 'node:fs'],
  'stripe-double/core': ['../target.ts'],
  tables: ['./target.ts', '../domain/target.ts', '@aws-sdk/client-dynamodb', 'zod'],
  platform: ['../domain/target.ts', 'stripe', 'pino', 'zod', '@temporalio/client', 'node:fs'],
  activities: [
    '../domain/target.ts',
    '../tables/target.ts',
    '@temporalio/activity',
    '@aws-sdk/client-s3',
    'stripe',
    'node:stream',
  ],
  server: [
    '../domain/target.ts',
    '../tables/target.ts',
    '../platform/target.ts',
    '../operations/target.ts',
    '../engine/target.ts',
    'hono',
  ],
  'server/routes': ['../app.ts', '../../engine/contract.ts', '../../domain/target.ts'],
  worker: [
    '../activities/target.ts',
    '../tables/target.ts',
    '../engine/target.ts',
    '../platform/target.ts',
    '../domain/target.ts',
    '@temporalio/worker',
  ],
  operations: [
    './target.ts',
    '../domain/target.ts',
    '../tables/target.ts',
    '../engine/target.ts',
    '../platform/target.ts',
    '@temporalio/client',
  ],
  cli: [
    '../domain/target.ts',
    '../tables/target.ts',
    '../engine/target.ts',
    '../platform/target.ts',
    '../operations/target.ts',
    'commander',
  ],
  dev: [
    '../domain/target.ts',
    '../tables/target.ts',
    '../platform/target.ts',
    '../engine/target.ts',
    '../stripe-double/target.ts',
    'listr2',
  ],
  'dev/stack': ['../target.ts', '../../stripe-double/target.ts', '../../domain/target.ts'],
  web: ['../domain/target.ts'],
  test: ['../dev/target.ts', '../worker/target.ts', '../engine/target.ts', 'vitest'],
};

/** Laws that are not about a path: the planted text, and the rule that must refuse it. */
const others: Record<string, { file: string; text: string; rule: string }> = {
  'a floating promise': {
    file: 'server/planted-floating.ts',
    text: 'async function work(): Promise<void> {\n  await Promise.resolve();\n}\nexport function start(): void {\n  work();\n}\n',
    rule: 'typescript(no-floating-promises)',
  },
  'a value of activities in a workflow, beside a type': {
    file: 'workflows/planted-mixed.ts',
    text: "export { value, type Thing } from '../activities/target.ts';\n",
    rule: 'eslint(no-restricted-imports)',
  },
  'everything of activities in a workflow': {
    file: 'workflows/planted-star.ts',
    text: "export * from '../activities/target.ts';\n",
    rule: 'eslint(no-restricted-imports)',
  },
  'a start option in the contract that workflows read': {
    file: 'engine/contract.ts',
    text: "export * as planted from '@temporalio/client';\n",
    rule: 'eslint(no-restricted-imports)',
  },
  'a dynamic import': {
    file: 'cli/planted-dynamic.ts',
    text: "export const load = async () => await import('../activities/target.ts');\n",
    rule: 'eslint(no-restricted-imports)',
  },
  'a side-effect import': {
    file: 'domain/planted-effect.ts',
    text: "import '../tables/target.ts';\n",
    rule: 'eslint(no-restricted-imports)',
  },
  'a type of the server in the cli': {
    file: 'cli/planted-type.ts',
    text: "export type { Thing } from '../server/target.ts';\n",
    rule: 'eslint(no-restricted-imports)',
  },
  'a cycle': {
    file: 'tables/planted-cycle-a.ts',
    text: "import { b } from './planted-cycle-b.ts';\nexport const a = (): number => b();\n",
    rule: 'import(no-cycle)',
  },
  'a cycle of types only': {
    file: 'domain/planted-types-a.ts',
    text: "import type { B } from './planted-types-b.ts';\nexport interface A {\n  b?: B;\n}\n",
    rule: 'import(no-cycle)',
  },
  'a cycle of types only, between two nouns of the double': {
    file: 'stripe-double/meters/planted-types-a.ts',
    text: "import type { B } from '../prices/planted-types-b.ts';\nexport interface A {\n  b?: B;\n}\n",
    rule: 'import(no-cycle)',
  },
  'a default export': {
    file: 'platform/planted-default.ts',
    text: 'export default function start(): void {}\n',
    rule: 'import(no-default-export)',
  },
  any: {
    file: 'platform/planted-any.ts',
    text: 'export const anything = (value: any): unknown => value;\n',
    rule: 'typescript(no-explicit-any)',
  },
  'a non-null assertion': {
    file: 'platform/planted-non-null.ts',
    text: 'export const first = (list: string[]): string => list[0]!;\n',
    rule: 'typescript(no-non-null-assertion)',
  },
};

/** Accepted: types of activities in workflows, types of platform in activities. */
const clean: Record<string, string> = {
  'workflows/clean-types.ts': "export type { Thing } from '../activities/target.ts';\n",
  'activities/clean-engine-types.ts': "export type { Thing } from '../engine/target.ts';\n",
  'web/clean-types.ts': "export type { Thing } from '../server/target.ts';\n",
  'workflows/clean-import-type.ts':
    "import type { Thing } from '../activities/target.ts';\nexport const wide = (thing: Thing): number => thing;\n",
  'activities/clean-types.ts': "export type { Thing } from '../platform/target.ts';\n",
  'domain/clean-await.ts':
    'async function work(): Promise<void> {\n  await Promise.resolve();\n}\nexport async function start(): Promise<void> {\n  await work();\n}\n',
};

const plantedFile = (folder: string, position: number) => `${folder}/planted-${position}.ts`;
const allowedFile = (folder: string, position: number) => `${folder}/allowed-${position}.ts`;
const importing = (path: string) => `export * as planted from '${path}';\n`;

describe('the import law', () => {
  const folder = mkdtempSync(join(tmpdir(), 'durabill-law-'));
  let found: { file: string; code: string; message: string }[] = [];
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };

  beforeAll(async () => {
    for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json']) {
      cpSync(join(root, file), join(folder, file));
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const name of Object.keys(allowed)) {
      write(`${name}/target.ts`, 'export const value = 1;\nexport type Thing = number;\n');
    }
    for (const file of ['workflows/index.ts', 'activities/index.ts']) {
      write(file, 'export const value = 1;\n');
    }
    write('platform/temporal.ts', 'export const value = 1;\n');
    write('server/app.ts', 'export const value = 1;\n');
    write(
      'tables/planted-cycle-b.ts',
      "import { a } from './planted-cycle-a.ts';\nexport const b = (): number => a();\n",
    );
    write(
      'domain/planted-types-b.ts',
      "import type { A } from './planted-types-a.ts';\nexport interface B {\n  a?: A;\n}\n",
    );
    write(
      'stripe-double/prices/planted-types-b.ts',
      "import type { A } from '../meters/planted-types-a.ts';\nexport interface B {\n  a?: A;\n}\n",
    );
    for (const [name, paths] of Object.entries(forbidden)) {
      for (const [position, path] of paths.entries()) {
        write(plantedFile(name, position), importing(path));
      }
    }
    for (const [name, paths] of Object.entries(allowed)) {
      for (const [position, path] of paths.entries()) {
        write(allowedFile(name, position), importing(path));
      }
    }
    for (const { file, text } of Object.values(others)) write(file, text);
    for (const [file, text] of Object.entries(clean)) write(file, text);
    found = await lint(folder, Object.keys(allowed));
  }, patienceMs);
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const refusals = (file: string): string[] =>
    found.filter((diagnostic) => diagnostic.file === file).map(({ code }) => code);

  test.each(
    Object.entries(forbidden).flatMap(([name, paths]) =>
      paths.map((path, position) => ({ name, path, position })),
    ),
  )('$name may not import $path', ({ name, position }) => {
    expect(refusals(plantedFile(name, position))).toContain('eslint(no-restricted-imports)');
  });

  test.each(
    Object.entries(allowed).flatMap(([name, paths]) =>
      paths.map((path, position) => ({ name, path, position })),
    ),
  )('$name may import $path', ({ name, position }) => {
    expect(refusals(allowedFile(name, position))).toStrictEqual([]);
  });

  test.each(Object.entries(others))('%s is refused', (_name, { file, rule }) => {
    expect(refusals(file)).toContain(rule);
  });

  test.each(Object.keys(clean))('%s is clean', (file) => {
    expect(refusals(file)).toStrictEqual([]);
  });
});

test(
  'the import law holds in the whole tree, and so does every other rule',
  async () => {
    expect(await lint(root, [])).toStrictEqual([]);
  },
  patienceMs,
);
