import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { isSameProcess, processStartTime } from '../../../dev/stack/process-identity.ts';
import { claimDataFolder } from '../../../dev/stack/processes.ts';
import { temporaryFolder } from '../tools/fake-tool.ts';

let dataDir = '';
let lines: string[] = [];
const report = (line: string): void => {
  lines.push(line);
};
const running = (): string => ': API http://127.0.0.1:8080';
beforeEach(async () => {
  dataDir = await temporaryFolder();
  lines = [];
});

interface Sleeper {
  pid: number;
  startTime: string;
  ended: Promise<unknown>;
}

/** A process in a group of its own; a stubborn one ignores SIGTERM. */
async function sleeper(stubborn = false): Promise<Sleeper> {
  const script = `${stubborn ? "trap '' TERM; " : ''}echo ready; while true; do sleep 1; done`;
  const child = spawn('sh', ['-c', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const pid = child.pid ?? 0;
  return { pid, startTime: processStartTime(pid) ?? '', ended };
}

/** What a launcher that crashed leaves behind. */
async function writeProcesses(children: object[], launcher: object = {}): Promise<void> {
  const crashed = {
    name: 'launcher',
    pid: 99_999_999,
    startTime: 'x',
    command: 'node',
    ...launcher,
  };
  const text = JSON.stringify({ launcher: crashed, children });
  await writeFile(path.join(dataDir, 'processes.json'), text);
}

test('leftovers of a crashed launcher are ended, a stubborn one too', async () => {
  const [willing, stubborn] = [await sleeper(), await sleeper(true)];
  await writeProcesses([
    { name: 'worker', command: 'sh', pid: willing.pid, startTime: willing.startTime },
    { name: 'temporal', command: 'sh', pid: stubborn.pid, startTime: stubborn.startTime },
  ]);
  const registry = await claimDataFolder(dataDir, report, running);
  await Promise.all([willing.ended, stubborn.ended]);
  expect(lines).toEqual([
    `ending worker (pid ${willing.pid}), left by a launcher that crashed`,
    `ending temporal (pid ${stubborn.pid}), left by a launcher that crashed`,
  ]);
  registry.close();
});

test('a process that has a leftover pid but another start time is left alone', async () => {
  const stranger = await sleeper();
  const { pid, startTime } = stranger;
  await writeProcesses([{ name: 'worker', command: 'sh', pid, startTime: `${startTime}0` }]);
  const registry = await claimDataFolder(dataDir, report, running);
  expect(isSameProcess({ pid, startTime })).toBe(true);
  expect(lines).toEqual([]);
  registry.close();
  process.kill(-pid, 'SIGKILL');
  await stranger.ended;
  expect(isSameProcess({ pid, startTime })).toBe(false);
});

test('a second start while one runs is an error with its pid and URLs', async () => {
  const registry = await claimDataFolder(dataDir, report, running);
  await expect(claimDataFolder(dataDir, report, running)).rejects.toMatchObject({
    code: 'conflict',
    message: `the embedded stack already runs on ${dataDir} (pid ${process.pid}): API http://127.0.0.1:8080`,
  });
  registry.close();
  (await claimDataFolder(dataDir, report, running)).close();
});

test('children are recorded as they come and go; a torn file does not stop a start', async () => {
  await writeFile(path.join(dataDir, 'processes.json'), '{"launcher":{"pid"');
  const registry = await claimDataFolder(dataDir, report, running);
  const child = await sleeper();
  registry.add({ name: 'worker', pid: child.pid, command: 'node worker' });
  const file = path.join(dataDir, 'processes.json');
  const expected = {
    name: 'worker',
    pid: child.pid,
    startTime: child.startTime,
    command: 'node worker',
  };
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
    launcher: { pid: process.pid, startTime: processStartTime(process.pid) },
    children: [expected],
  });
  registry.remove(child.pid);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ children: [] });
  registry.close();
  await expect(readFile(file)).rejects.toThrow('ENOENT');
  process.kill(-child.pid, 'SIGKILL');
});
