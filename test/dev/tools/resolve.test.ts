import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { TOOL_DEFINITIONS } from '../../../dev/tools/definitions.ts';
import { resolveDefinition, resolveTool } from '../../../dev/tools/resolve.ts';
import type { ToolBuilder } from '../../../dev/tools/types.ts';
import { emptyEnvironment, fakeTool, temporaryFolder, writeProgram } from './fake-tool.ts';

let folder = '';
beforeEach(async () => {
  folder = await temporaryFolder();
});

test('the variable goes before PATH, PATH before npm, npm before the cache, the cache before making it', async () => {
  const environment = emptyEnvironment(folder);
  const npm = { npmPackage: 'vitest', npmBinary: 'vitest.mjs' };
  const plain = fakeTool(folder);
  const withNpm = fakeTool(folder, npm);

  const built = await resolveDefinition(plain, { environment });
  expect(built.source).toBe('build');
  expect(built.command).toBe(
    path.join(folder, `tools/fake/1.0.0-${process.platform}-${process.arch}/fake`),
  );
  expect(await resolveDefinition(plain, { environment })).toEqual({ ...built, source: 'cache' });

  const inNpm = await resolveDefinition(withNpm, { environment });
  expect(inNpm.source).toBe('npm');
  expect(inNpm.command).toMatch(/node_modules\/vitest\/vitest\.mjs$/);

  const program = await writeProgram(path.join(folder, 'bin', 'fake-program'));
  const onPath = await resolveDefinition(withNpm, { environment });
  expect(onPath).toMatchObject({ source: 'path', command: program });

  const explicit = await writeProgram(path.join(folder, 'mine', 'some-name'));
  const withVariable = { ...environment, DURABILL_FAKE: explicit };
  expect(await resolveDefinition(withNpm, { environment: withVariable })).toMatchObject({
    source: 'explicit',
    command: explicit,
  });
});

test('a wrong variable is an error that names it, though other ways would work', async () => {
  await writeProgram(path.join(folder, 'bin', 'fake-program'));
  const notExecutable = path.join(folder, 'text.txt');
  await writeFile(notExecutable, 'text');
  for (const value of ['/nowhere/fake', folder, notExecutable]) {
    const environment = { ...emptyEnvironment(folder), DURABILL_FAKE: value };
    await expect(resolveDefinition(fakeTool(folder), { environment })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(`DURABILL_FAKE=${value} is not a program`) as string,
    });
  }
});

test('a program named server on PATH is not the Temporal server; temporal is, as the CLI', async () => {
  const environment = emptyEnvironment(folder);
  await writeProgram(path.join(folder, 'bin', 'server'));
  await expect(resolveTool('temporal-ui', { environment })).rejects.toThrow('go is not on PATH');
  const cli = await writeProgram(path.join(folder, 'bin', 'temporal'));
  const found = await resolveTool('temporal-server', { environment });
  expect(found).toMatchObject({ command: cli, source: 'path', isTemporalCli: true });
});

test('when nothing works the error names every way and what was tried', async () => {
  const environment = emptyEnvironment(folder);
  const failing = { description: 'built from a module', progress: 'building' };
  const tool = fakeTool(folder, {
    npmPackage: '@durabill/no-such-package',
    npmBinary: 'fake',
    builder: { ...failing, build: async () => await Promise.reject(new Error('no compiler')) },
    download: {
      description: 'downloaded',
      progress: 'downloading',
      build: async () => await Promise.reject(new Error('no network')),
    },
    wheel: {
      description: 'a wheel',
      progress: 'fetching',
      build: async () => await Promise.reject(new Error('pip is not on PATH')),
    },
  });
  const lines: string[] = [];
  const options = { environment, report: (line: string) => lines.push(line) };
  const error = await resolveDefinition(tool, options).catch((caught: unknown) => caught);
  expect(String(error).split('\n')).toEqual([
    'BillingError: fake 1.0.0 is missing. Any one of these ways gives it:',
    '- DURABILL_FAKE=/path/to/fake (not set)',
    '- fake-program on PATH (not found)',
    '- npm package @durabill/no-such-package@1.0.0 (not installed)',
    `- kept from an earlier build in ${folder}/tools (empty; DURABILL_TOOLS moves it)`,
    '- downloaded (failed: no network)',
    '- a wheel (failed: pip is not on PATH)',
    '- built from a module (failed: no compiler)',
  ]);
  expect(lines).toEqual([
    'no fake by download: no network',
    'no fake by wheel: pip is not on PATH',
    'no fake by build: no compiler',
  ]);
});

test('what is missing is downloaded, else taken from PyPI, else built', async () => {
  const made: string[] = [];
  const way = (name: string, works: boolean): ToolBuilder => ({
    description: name,
    progress: name,
    build: async ({ directory }) => {
      made.push(name);
      if (!works) throw new Error('not here');
      await writeProgram(path.join(directory, 'fake'));
    },
  });
  for (const [works, source] of [
    [['download', 'wheel', 'build'], 'download'],
    [['wheel', 'build'], 'wheel'],
    [['build'], 'build'],
  ] as const) {
    const environment = emptyEnvironment(await temporaryFolder());
    const ways = (['download', 'wheel', 'build'] as const).map((name) =>
      way(name, (works as readonly string[]).includes(name)),
    );
    const [download, wheel, builder] = ways as [ToolBuilder, ToolBuilder, ToolBuilder];
    const tool = fakeTool(folder, { download, wheel, builder });
    expect((await resolveDefinition(tool, { environment })).source).toBe(source);
  }
  expect(made).toEqual(['download', 'download', 'wheel', 'download', 'wheel', 'build']);
});

test('a Go that is too old is said to be', async () => {
  const environment = emptyEnvironment(folder);
  const go = await writeProgram(path.join(folder, 'bin', 'go'));
  await writeFile(go, '#!/bin/sh\necho go version go1.22.1 linux/amd64\n');
  await expect(resolveTool('stripe-mock', { environment })).rejects.toThrow(
    'Go is too old: go version go1.22.1 linux/amd64; Go 1.26 or newer is needed',
  );
});

test('go install runs with its own GOBIN, its output drives the progress, its error is shown', async () => {
  const environment = emptyEnvironment(folder);
  const go = await writeProgram(path.join(folder, 'bin', 'go'));
  await writeFile(
    go,
    [
      '#!/bin/sh',
      '[ "$1" = version ] && echo go version go1.26.8 linux/amd64 && exit 0',
      'echo "$@" > "$DURABILL_TOOLS/arguments"',
      'echo compile/one >&2; /bin/sleep 1.2; printf "#!/bin/sh\\n" > "$GOBIN/versitygw"',
      '[ -e "$DURABILL_TOOLS/fail" ] && echo compiler says no >&2 && exit 2',
      '/bin/chmod 755 "$GOBIN/versitygw"',
    ].join('\n'),
  );
  const lines: string[] = [];
  const options = { environment, report: (line: string) => lines.push(line) };
  const { download: _download, ...onlyBuilt } = TOOL_DEFINITIONS.versitygw;
  const found = await resolveDefinition(onlyBuilt, options);
  expect(found.source).toBe('build');
  expect(await readFile(path.join(folder, 'tools', 'arguments'), 'utf8')).toBe(
    'install -v github.com/versity/versitygw/cmd/versitygw@v1.8.0\n',
  );
  // How many seconds are told depends on the machine; that they are, and the packages, does not.
  const said = lines.map((line) => line.replace(/\d+s/, 'Ns'));
  expect([...new Set(said)]).toEqual([
    'building versitygw 1.8.0 from its module (about 45 seconds) — Ns',
    'building versitygw 1.8.0 from its module (about 45 seconds) — Ns (1 package)',
  ]);
  await writeFile(path.join(folder, 'tools', 'fail'), '');
  await expect(resolveTool('temporal-ui', { environment })).rejects.toThrow('compiler says no');
  expect(await readdir(path.join(folder, 'tools', 'temporal-ui'))).toEqual([]);
});

test('every tool has a variable of its own', () => {
  const variables = Object.values(TOOL_DEFINITIONS).map((definition) => definition.variable);
  expect(new Set(variables).size).toBe(variables.length);
});
