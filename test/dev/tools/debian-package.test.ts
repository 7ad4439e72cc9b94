import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Environment } from '../../../dev/environment.ts';
import { debianPackage } from '../../../dev/tools/debian-package.ts';
import { resolveDefinition } from '../../../dev/tools/resolve.ts';
import type { ResolvedTool } from '../../../dev/tools/types.ts';
import { emptyEnvironment, fakeTool, temporaryFolder, writeProgram } from './fake-tool.ts';

let folder = '';
let environment: Environment = {};
beforeEach(async () => {
  folder = await temporaryFolder();
  environment = emptyEnvironment(folder);
});

/** An apt-get that downloads this, and notes how it was called; a dpkg-deb that unpacks it. */
async function publish(apt: string): Promise<void> {
  const aptGet = await writeProgram(path.join(folder, 'bin', 'apt-get'));
  await writeFile(aptGet, `#!/bin/sh\necho "$@" >> "${folder}/arguments"\n${apt}\n`);
  const dpkg = await writeProgram(path.join(folder, 'bin', 'dpkg-deb'));
  const unpack = '/bin/mkdir -p "$3/usr/bin" && /bin/cp "$2" "$3/usr/bin/fake"';
  await writeFile(dpkg, `#!/bin/sh\n${unpack}\n/bin/chmod 755 "$3/usr/bin/fake"\n`);
}

async function resolve(): Promise<ResolvedTool> {
  const debian = debianPackage({
    label: 'fake',
    package: 'fake-package',
    file: 'usr/bin/fake',
    binary: 'fake',
  });
  const { builder: _builder, ...tool } = fakeTool(folder, { debian });
  return await resolveDefinition(tool, { environment });
}

test('the program inside the package becomes the tool; lists and package are not kept', async () => {
  await mkdir(path.join(folder, 'bin'), { recursive: true });
  await publish('case "$*" in *download*) echo "#!/bin/sh" > fake-package_1_amd64.deb;; esac');
  const { command, source } = await resolve();
  expect(source).toBe('debian');
  expect(await readFile(command, 'utf8')).toBe('#!/bin/sh\n');
  expect(await readdir(path.dirname(command))).toEqual(['fake']);
  const calls = (await readFile(path.join(folder, 'arguments'), 'utf8')).trim().split('\n');
  expect(calls.map((call) => call.split('APT::Sandbox::User=root ')[1])).toEqual([
    'update',
    'download fake-package',
  ]);
  // Nothing of the machine's own apt is written.
  for (const call of calls) expect(call).toMatch(/Dir::State::lists=\S+ .*Dir::Cache=\S+ /);
  expect((await resolve()).source).toBe('cache');
});

test('without apt, and when it gives nothing, the reason is said and nothing is left', async () => {
  await expect(resolve()).rejects.toThrow(/apt-get/);
  await publish('echo E: Unable to locate package >&2; exit 100');
  await expect(resolve()).rejects.toThrow('Unable to locate package');
  await publish('exit 0');
  await expect(resolve()).rejects.toThrow('apt downloaded nothing');
  expect(await readdir(path.join(folder, 'tools', 'fake'))).toEqual([]);
});
