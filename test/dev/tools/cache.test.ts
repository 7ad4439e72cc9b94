import { execFile } from 'node:child_process';
import { access, mkdir, readFile, readdir, utimes } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeEach, expect, test } from 'vitest';
import { resolveDefinition } from '../../../dev/tools/resolve.ts';
import { emptyEnvironment, fakeTool, temporaryFolder } from './fake-tool.ts';

const version = `1.0.0-${process.platform}-${process.arch}`;
let folder = '';
let cacheFolder = '';
beforeEach(async () => {
  folder = await temporaryFolder();
  cacheFolder = path.join(folder, 'tools', 'fake');
});

async function builds(): Promise<number> {
  return (await readFile(path.join(folder, 'builds.log'), 'utf8')).trim().split('\n').length;
}

test('two resolves at once build once, and the second says that it waits', async () => {
  const environment = emptyEnvironment(folder);
  const lines: string[] = [];
  const options = { environment, report: (line: string) => lines.push(line) };
  const both = await Promise.all([
    resolveDefinition(fakeTool(folder), options),
    resolveDefinition(fakeTool(folder), options),
  ]);
  expect(both[0].command).toBe(both[1].command);
  expect(await builds()).toBe(1);
  expect(lines).toContain('waiting for another process that is building fake — 0s');
  expect(await readdir(cacheFolder)).toEqual([version]);
});

test('two processes at once build once', async () => {
  const script = fileURLToPath(new URL('build-fake.ts', import.meta.url));
  const run = async (): Promise<string> => {
    const args = ['--import', 'tsx', script, folder];
    return (await promisify(execFile)(process.execPath, args, { timeout: 30_000 })).stdout;
  };
  const both = await Promise.all([run(), run()]);
  expect(both).toEqual(Array(2).fill(path.join(cacheFolder, version, 'fake')));
  expect(await builds()).toBe(1);
});

test('a build that fails in the middle leaves nothing, and the next one works', async () => {
  const environment = emptyEnvironment(folder);
  const torn = fakeTool(folder);
  const failing = fakeTool(folder, {
    builder: {
      description: 'torn',
      progress: 'tearing',
      build: async (context) => {
        await torn.builder?.build(context);
        throw new Error('the disk is full');
      },
    },
  });
  await expect(resolveDefinition(failing, { environment })).rejects.toThrow('the disk is full');
  expect(await readdir(cacheFolder)).toEqual([]);
  await resolveDefinition(torn, { environment });
  expect(await readdir(cacheFolder)).toEqual([version]);
});

test('a builder that crashed: its lock goes stale and its half-made folder is removed', async () => {
  const environment = emptyEnvironment(folder);
  // No process has this pid: the kernel's largest is 2^22.
  const half = path.join(cacheFolder, '.building-99999999-abc');
  await mkdir(half, { recursive: true });
  const lock = `${cacheFolder}.lock`;
  await mkdir(lock);
  const longAgo = new Date('2026-01-01T00:00:00Z');
  await utimes(lock, longAgo, longAgo);
  await resolveDefinition(fakeTool(folder), { environment });
  expect(await readdir(cacheFolder)).toEqual([version]);
  await expect(access(lock)).rejects.toThrow('ENOENT');
});

test('an interrupted build ends at once and leaves nothing', async () => {
  const environment = emptyEnvironment(folder);
  const controller = new AbortController();
  const tool = fakeTool(folder, {
    builder: {
      description: 'slow',
      progress: 'slow',
      build: async ({ signal }) => {
        controller.abort(new Error('Ctrl-C'));
        signal?.throwIfAborted();
        return await Promise.resolve();
      },
    },
  });
  const resolving = resolveDefinition(tool, { environment, signal: controller.signal });
  await expect(resolving).rejects.toThrow('Ctrl-C');
  expect(await readdir(cacheFolder)).toEqual([]);
});
