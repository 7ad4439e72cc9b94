import { readFile } from 'node:fs/promises';
import { beforeEach, expect, test } from 'vitest';
import type { ChildSpec } from '../../../dev/stack/child.ts';
import { startChild } from '../../../dev/stack/child.ts';
import { processStartTime } from '../../../dev/stack/process-identity.ts';
import { Supervisor } from '../../../dev/stack/supervisor.ts';
import type { SpawnedChild } from '../../../dev/stack/types.ts';
import { temporaryFolder } from '../tools/fake-tool.ts';

let dataDir = '';
beforeEach(async () => {
  dataDir = await temporaryFolder();
});

function shell(name: string, script: string, more: Partial<ChildSpec> = {}): ChildSpec {
  return {
    name,
    command: '/bin/sh',
    args: ['-c', script],
    env: { PATH: '/usr/bin:/bin' },
    dataDir,
    cwd: dataDir,
    port: 1,
    probe: async () => {
      const log = await readFile(`${dataDir}/logs/${name}.log`, 'utf8');
      return log.endsWith('ready\n');
    },
    ...more,
  };
}

/** A registry that remembers; the real one is tested by itself. */
function fakeRegistry() {
  const pids = new Set<number>();
  return {
    pids,
    add: (child: SpawnedChild): void => {
      pids.add(child.pid);
    },
    remove: (pid: number): void => {
      pids.delete(pid);
    },
  };
}

/** Resolves when `report` gets a line that matches. */
function lineWaiter() {
  const lines: string[] = [];
  const waiting: { pattern: RegExp; resolve: (line: string) => void }[] = [];
  return {
    lines,
    report: (line: string): void => {
      lines.push(line);
      for (const { pattern, resolve } of waiting) if (pattern.test(line)) resolve(line);
    },
    until: async (pattern: RegExp): Promise<string> =>
      await new Promise((resolve) => waiting.push({ pattern, resolve })),
  };
}

test('a child that ends before it is ready is an error with the end of its own log', async () => {
  const failing = shell('broken', 'echo line one; echo address already in use >&2; exit 3');
  const earlier = shell('broken', 'echo from the first start; exit 1');
  await expect(startChild(earlier)).rejects.toThrow('code 1');
  const error = await startChild(failing).catch((caught: unknown) => caught);
  expect(String(error).split('\n')).toEqual([
    `BillingError: broken did not start: it ended with code 3. The end of ${dataDir}/logs/broken.log:`,
    '  line one',
    '  address already in use',
  ]);
});

test('a program that does not exist is an error that says so', async () => {
  const spec = shell('missing', '', { command: '/nowhere/program' });
  await expect(startChild(spec)).rejects.toThrow(
    'missing did not start: spawn /nowhere/program ENOENT',
  );
});

test('a child that is never ready is killed', async () => {
  let pid = 0;
  const spec = shell('slow', 'sleep 60', {
    readyTimeoutMs: 200,
    onSpawn: (child) => {
      pid = child.pid;
    },
  });
  await expect(startChild(spec)).rejects.toThrow('it was not ready after 0.2 s');
  expect(pid).toBeGreaterThan(1);
  expect(processStartTime(pid)).toBeUndefined();
});

test('a child that ignores SIGTERM is killed after the bound, with what it started', async () => {
  const script = `trap '' TERM; sleep 60 & echo $! > ${dataDir}/inner; echo ready; while :; do wait; done`;
  const server = await startChild(shell('stubborn', script, { stopTimeoutMs: 200 }));
  const inner = Number(await readFile(`${dataDir}/inner`, 'utf8'));
  expect(processStartTime(inner)).toBeDefined();
  await server.stop();
  expect(await server.exited).toBe('SIGKILL');
  await expect.poll(() => processStartTime(inner)).toBeUndefined();
});

test('a child that dies is started again, said and recorded; after stop nothing runs', async () => {
  const registry = fakeRegistry();
  const { report, until, lines } = lineWaiter();
  const supervisor = new Supervisor(registry, report);
  const first = await supervisor.run('worker', async (how) => {
    return await startChild(shell('worker', 'echo ready; while :; do sleep 1; done', how));
  });
  expect([...registry.pids]).toEqual([first.pid]);
  const restarted = until(/runs again/);
  process.kill(first.pid, 'SIGKILL');
  const second = Number(/pid (\d+)/.exec(await restarted)?.[1]);
  expect(lines).toEqual([
    `worker (pid ${first.pid}) died with SIGKILL: starting it again`,
    `worker runs again (pid ${second})`,
  ]);
  expect([...registry.pids]).toEqual([second]);
  await supervisor.stop(['worker']);
  expect(processStartTime(second)).toBeUndefined();
  expect([...registry.pids]).toEqual([]);
});

test('a restart that fails is tried again; stopping in the middle of it ends it', async () => {
  const registry = fakeRegistry();
  const { report, until, lines } = lineWaiter();
  const supervisor = new Supervisor(registry, report);
  let starts = 0;
  const server = await supervisor.run('server', async (how) => {
    starts += 1;
    const script = starts === 1 ? 'echo ready; sleep 60' : 'echo no; exit 1';
    return await startChild(shell('server', script, how));
  });
  const failed = until(/did not start: it ended with code 1/);
  process.kill(server.pid, 'SIGKILL');
  await failed;
  await supervisor.stop([]);
  expect([...registry.pids]).toEqual([]);
  const count = lines.length;
  await expect(
    supervisor.run('late', async (how) => await startChild(shell('late', 'echo ready', how))),
  ).rejects.toThrow('aborted');
  expect(lines).toHaveLength(count);
});

test('servers stop one after the other in the order given', async () => {
  const supervisor = new Supervisor(fakeRegistry(), () => undefined);
  const script = (name: string): string =>
    `trap 'echo ${name} >> ${dataDir}/order; exit 0' TERM; echo ready; while :; do sleep 0.05; done`;
  for (const name of ['dynamodb', 'temporal', 'worker', 'other']) {
    await supervisor.run(name, async (how) => await startChild(shell(name, script(name), how)));
  }
  await supervisor.stop(['worker', 'not-started', 'temporal', 'dynamodb']);
  expect(await readFile(`${dataDir}/order`, 'utf8')).toBe('worker\ntemporal\ndynamodb\nother\n');
});
