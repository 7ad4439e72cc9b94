import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Environment } from '../../../dev/environment.ts';
import { pythonPackage } from '../../../dev/tools/python-package.ts';
import { resolveDefinition } from '../../../dev/tools/resolve.ts';
import { emptyEnvironment, fakeTool, temporaryFolder, writeProgram } from './fake-tool.ts';

let folder = '';
let environment: Environment = {};
beforeEach(async () => {
  folder = await temporaryFolder();
  environment = emptyEnvironment(folder);
});

const builder = pythonPackage({
  package: 'fake-package',
  version: '1.0.0',
  script: 'fk',
  binary: 'fake',
});

/** A pip that notes how it was called and then does this. */
async function publish(script: string): Promise<void> {
  const pip = await writeProgram(path.join(folder, 'bin', 'pip3'));
  await writeFile(pip, `#!/bin/sh\necho "$@" > "${folder}/arguments"\n${script}\n`);
}

test('the package is installed beside its script, which finds it wherever the folder is', async () => {
  const program = "import sys; print('ran', *sys.argv[1:])";
  await publish(`/bin/mkdir -p lib/bin && echo "${program}" > lib/bin/fk`);
  const { command, source } = await resolveDefinition(fakeTool(folder, { builder }), {
    environment,
  });
  expect(source).toBe('build');
  const called = await readFile(path.join(folder, 'arguments'), 'utf8');
  expect(called).toMatch(/^install .*--target lib fake-package==1\.0\.0\n$/);
  expect(execFileSync(command, ['a', 'b c'], { encoding: 'utf8' })).toBe('ran a b c\n');
});

test('without pip, and when it fails, the reason is said', async () => {
  const tool = fakeTool(folder, { builder });
  await expect(resolveDefinition(tool, { environment })).rejects.toThrow('pip is not on PATH');
  await publish('echo no such version >&2; exit 1');
  await expect(resolveDefinition(tool, { environment })).rejects.toThrow('no such version');
});
