/** A command line is typed many times a day: before it knows its command, it loads no SDK. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const checkout = path.resolve(import.meta.dirname, '../..');
const statement = /^(?:import|export)\s(?!type\b)[^;]*?from '([^']+)'|^import '([^']+)'/gmu;

/** The packages that a file loads at once, by itself and by what it imports; not what it loads later. */
function packagesOf(file: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(file)) return packages;
  seen.add(file);
  for (const [, from, bare] of readFileSync(file, 'utf8').matchAll(statement)) {
    const target = from ?? bare ?? '';
    if (target.startsWith('.')) {
      const next = path.resolve(path.dirname(file), target);
      for (const name of packagesOf(next, seen)) packages.add(name);
    } else if (!target.startsWith('node:')) {
      packages.add(target);
    }
  }
  return packages;
}

test('the command line loads no SDK before a command asks for one', () => {
  const packages = packagesOf(path.join(checkout, 'cli/main.ts'));
  expect([...packages].toSorted()).toStrictEqual([
    'cli-table3',
    'commander',
    'p-limit',
    'picocolors',
    'zod',
  ]);
});

test('SDKs are found where they are loaded', () => {
  const packages = packagesOf(path.join(checkout, 'server/main.ts'));
  for (const name of ['stripe', '@aws-sdk/client-dynamodb', '@temporalio/client']) {
    expect(packages).toContain(name);
  }
});
