import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorker } from '../../dev/stack/worker.ts';
import type { RunningServer } from '../../dev/stack/types.ts';
import { durabill, startServers } from './support.ts';
import type { Servers } from './support.ts';

let servers: Servers;
let worker: RunningServer;

beforeAll(async () => {
  servers = await startServers();
  const { code, stderr } = await durabill(['setup'], servers.env);
  if (code !== 0) throw new Error(stderr);
  await servers.control.createCustomer({ id: 'cus_Aurora' });
  const folder = path.join(servers.dataDir, 's3/siftbeam/service/input/cus_Aurora');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'a.bin'), Buffer.alloc(1_234_567));
  await writeFile(path.join(folder, 'b.bin'), Buffer.alloc(1000));
  worker = await startWorker({ dataDir: servers.dataDir, env: servers.env });
});
afterAll(async () => {
  await worker.stop();
  await servers.stop();
});

const submit = ['process', 'submit', '--customer', 'cus_Aurora', '--file'];

test('--wait ends with the files, their bytes and digests, and the delivery', async () => {
  const args = [...submit, 'a.bin', '--file', 'b.bin', '--id', 'job', '--wait'];
  const { code, stdout, stderr } = await durabill(args, servers.env);
  expect(code).toBe(0);
  expect(stdout).toMatch(/a\.bin +1,234,567 +[0-9a-f]{12}/);
  expect(stdout).toMatch(/delivery +delivered/);
  expect(stdout).not.toContain('processing, ');
  expect(stderr).toContain('files');
  expect(await servers.control.total('cus_Aurora', 'file_processed')).toBe('1235567');
});

test('FM1 the row that the worker wrote and the order given again are the same job', async () => {
  const args = [...submit, 'a.bin', '--file', 'b.bin', '--id', 'job', '--wait', '--json'];
  const { code, stdout, stderr } = await durabill(args, servers.env);
  expect(code).toBe(0);
  expect(stderr).toContain('the same job');
  expect(JSON.parse(stdout)).toMatchObject({
    processing: { status: 'completed', totalBytes: 1_235_567 },
    delivery: { state: 'delivered', attempts: 1 },
    workflowId: 'process-files/job',
  });
  const swapped = [...submit, 'b.bin', '--file', 'a.bin', '--id', 'job'];
  expect((await durabill(swapped, servers.env)).code).toBe(1);
  expect(await servers.control.total('cus_Aurora', 'file_processed')).toBe('1235567');
});

test('FM3 a file that is missing fails the command, naming the key', async () => {
  const { code, stderr } = await durabill([...submit, 'missing.bin', '--wait'], servers.env);
  expect(code).toBe(1);
  expect(stderr).toContain('service/input/cus_Aurora/missing.bin does not exist');
});

test('process show has the files; doctor finds everything but the schedules in order', async () => {
  const shown = await durabill(['process', 'show', 'job', '--json'], servers.env);
  const { files } = JSON.parse(shown.stdout) as { files: { bytes: number }[] };
  expect(files.map(({ bytes }) => bytes)).toEqual([1_234_567, 1000]);
  const doctor = await durabill(['doctor', '--json'], servers.env);
  expect(doctor.code).toBe(0);
});
