/** What the README tells a newcomer to run does what it says there. */
import { execFile } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { startStripeDouble } from '../server.ts';
import { temporaryDirectory } from './support.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));
const [nodeModules = ''] = createRequire(import.meta.url)
  .resolve('stripe')
  .split('/stripe/');
const readme = readFileSync(join(folder, 'README.md'), 'utf8');

/** Every program of the README, with what the text after it says that it prints. */
const programs = [...readme.matchAll(/```ts\n(.*?)```\n\nIt prints `(.*?)`/gs)].map(
  ([, code = '', printed = '']) => ({ code, printed }),
);

test('the README has its two programs', () => {
  expect(programs.map(({ printed }) => printed)).toStrictEqual([
    '3000 × Processing: 750 cents, paid',
    'real 1',
  ]);
});

test.each(programs)('a program of the README prints $printed', async ({ code, printed }) => {
  const double = await startStripeDouble();
  onTestFinished(double.stop);
  // Outside of the sources, which other tests read at the same time.
  const own = temporaryDirectory();
  for (const name of ['control.ts', 'server.ts', 'package.json']) {
    symlinkSync(join(folder, name), join(own, name));
  }
  symlinkSync(nodeModules, join(own, 'node_modules'));
  const file = join(own, 'program.ts');
  writeFileSync(file, code.replaceAll('12111', String(double.port)));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file], {
    cwd: own,
  });
  expect(stdout).toBe(`${printed}\n`);
});

test('the calls of the README are answered', async () => {
  const double = await startStripeDouble();
  onTestFinished(double.stop);
  const calls = readme.split('\n').filter((line) => line.startsWith('curl '));
  expect(calls.length).toBeGreaterThan(10);
  const answers: string[] = [];
  for (const call of calls) {
    const [, url = ''] = /http:\/\/127\.0\.0\.1:12111(\S*)/.exec(call) ?? [];
    const [, method = 'GET'] = /-X ([A-Z]+)/.exec(call) ?? [];
    const [, quoted, plain] = / -d (?:'([^']*)'|(\S+))/.exec(call) ?? [];
    const body = quoted ?? plain;
    const response = await fetch(`${double.url}${url}`, {
      method,
      ...(call.includes(' -u ') ? { headers: { authorization: 'Bearer sk_test_any' } } : {}),
      ...(body === undefined ? {} : { body }),
    });
    if (!response.ok) answers.push(`${response.status} ${call}`);
  }
  expect(answers).toStrictEqual([]);
});
