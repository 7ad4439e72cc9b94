import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Environment } from '../../../dev/environment.ts';
import { npmPackage } from '../../../dev/tools/npm-package.ts';
import { resolveDefinition } from '../../../dev/tools/resolve.ts';
import { emptyEnvironment, fakeTool, temporaryFolder, writeProgram } from './fake-tool.ts';

let folder = '';
let environment: Environment = {};
beforeEach(async () => {
  folder = await temporaryFolder();
  environment = emptyEnvironment(folder);
  const node = await writeProgram(path.join(folder, 'bin', 'node'));
  await writeFile(node, `#!/bin/sh\nexec ${process.execPath} "$@"\n`);
});

const builder = npmPackage({
  package: 'fake-package',
  version: '1.0.0',
  beside: ['other@2.0.0'],
  script: 'bin/cli.js',
  binary: 'fake',
});

/** An npm that notes how it was called and then does this. */
async function publish(script: string): Promise<void> {
  const npm = await writeProgram(path.join(folder, 'bin', 'npm'));
  await writeFile(npm, `#!/bin/sh\necho "$@" > "${folder}/arguments"\n${script}\n`);
}

test('the package is installed beside its script, in the versions that it is asked for', async () => {
  const bin = 'node_modules/fake-package/bin';
  const program = "console.log('ran', ...process.argv.slice(2))";
  await publish(`/bin/mkdir -p ${bin} && echo "${program}" > ${bin}/cli.js`);
  const { command, source } = await resolveDefinition(fakeTool(folder, { builder }), {
    environment,
  });
  expect(source).toBe('build');
  const called = await readFile(path.join(folder, 'arguments'), 'utf8');
  expect(called).toMatch(/^install .* fake-package@1\.0\.0 other@2\.0\.0\n$/);
  expect(execFileSync(command, ['a', 'b c'], { encoding: 'utf8' })).toBe('ran a b c\n');
});

test('when npm fails, the reason is said', async () => {
  const tool = fakeTool(folder, { builder });
  await publish('echo no such version >&2; exit 1');
  await expect(resolveDefinition(tool, { environment })).rejects.toThrow('no such version');
});
