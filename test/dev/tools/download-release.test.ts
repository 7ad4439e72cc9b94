import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { releaseArchive } from '../../../dev/tools/download-release.ts';
import { resolveDefinition } from '../../../dev/tools/resolve.ts';
import type { ResolvedTool, ToolDefinition } from '../../../dev/tools/types.ts';
import { fakeTool, temporaryFolder, writeProgram } from './fake-tool.ts';

const archive = 'fake_v1.0.0_Linux_x86_64.tar.gz';
const files = new Map<string, string | Buffer>();
const server = http.createServer((req, res) => {
  const body = files.get(req.url ?? '');
  res.statusCode = body === undefined ? 404 : 200;
  res.end(body ?? 'no such file');
});
let folder = '';
beforeEach(async () => {
  folder = await temporaryFolder();
  files.clear();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
});

async function publish(sumOf?: Buffer): Promise<void> {
  await writeProgram(path.join(folder, 'release', 'fake_v1.0.0_Linux_x86_64', 'fake'));
  const file = path.join(folder, archive);
  // As the project packs it: one folder around the files.
  const args = ['-czf', file, '-C', path.join(folder, 'release'), 'fake_v1.0.0_Linux_x86_64'];
  execFileSync('tar', args, { timeout: 10_000 });
  const bytes = await readFile(file);
  const sum = createHash('sha256')
    .update(sumOf ?? bytes)
    .digest('hex');
  files.set(`/${archive}`, bytes);
  files.set('/checksums.txt', `0000  other.tar.gz\n${sum}  ${archive}\n`);
}

async function resolve(): Promise<ResolvedTool> {
  const { port } = server.address() as AddressInfo;
  const baseUrl = `http://127.0.0.1:${port}/`;
  const { builder: _builder, ...noBuilder } = fakeTool(folder);
  const download = releaseArchive({ label: 'fake', version: '1.0.0', baseUrl, archive });
  const definition: ToolDefinition = { ...noBuilder, download };
  const environment = { PATH: '/usr/bin:/bin', DURABILL_TOOLS: path.join(folder, 'tools') };
  return await resolveDefinition(definition, { environment });
}

test('a release archive with the right sum becomes the tool', async () => {
  await publish();
  expect(await resolve()).toMatchObject({ source: 'download' });
  expect((await resolve()).source).toBe('cache');
});

test('a release archive with another sum, or none at all, is refused and leaves nothing', async () => {
  await expect(resolve()).rejects.toThrow('checksums.txt answered 404');
  await publish(Buffer.from('something else'));
  await expect(resolve()).rejects.toThrow(/has the sum [0-9a-f]{64}, checksums.txt says/);
  expect(await readdir(path.join(folder, 'tools', 'fake'))).toEqual([]);
});
