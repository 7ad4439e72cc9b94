import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { schedules } from '../../domain/schedules.ts';
import { digestFiles } from '../../platform/files-digest.ts';
import { createDynamoDb } from '../../platform/dynamodb.ts';
import { parseConfig } from '../../platform/config.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import { openTables } from '../../tables/open.ts';
import { durabill, startServers } from './support.ts';
import type { Servers } from './support.ts';
import { newLetter } from '../support/dead-letters.ts';

let servers: Servers;

beforeAll(async () => {
  servers = await startServers();
  const { code, stderr } = await durabill(['setup'], servers.env);
  if (code !== 0) throw new Error(stderr);
  await servers.control.createCustomer({ id: 'cus_Aurora' });
});
afterAll(async () => {
  await servers.stop();
});

function tables() {
  const client = createDynamoDb(parseConfig(servers.env));
  onTestFinished(() => client.destroy());
  return openTables(createTableStore(client, 'siftbeam-'));
}

async function run(...args: string[]) {
  const { code, stdout, stderr } = await durabill([...args, '--json'], servers.env);
  return { code, stderr, json: JSON.parse(stdout) as unknown };
}

test('customers are added once, and only those that Stripe knows', async () => {
  const first = await run('customers', 'add', 'cus_Aurora', '--name', 'Aurora Labs');
  expect(first).toMatchObject({
    code: 0,
    json: { added: true, customer: { plan: 'free', billingStatus: 'none', name: 'Aurora Labs' } },
  });
  const second = await run('customers', 'add', 'cus_Aurora', '--name', 'Other');
  expect(second).toMatchObject({
    code: 0,
    json: { added: false, customer: { name: 'Aurora Labs' } },
  });
  const unknown = await run('customers', 'add', 'cus_Nobody');
  expect(unknown).toMatchObject({ code: 1, json: { error: 'not_found' } });
  expect(unknown.stderr).toContain('create it at Stripe');
  expect(await run('customers', 'show', 'cus_Nobody')).toMatchObject({ code: 1 });
});

test('FM1 the same id is the same job; with other files or another customer a conflict', async () => {
  const submit = ['process', 'submit', '--id', 'job1', '--customer', 'cus_Aurora', '--file'];
  expect(await run(...submit, 'a.csv')).toMatchObject({ code: 0, json: { started: true } });
  // No worker runs: the row is not there, the workflow's own input is compared.
  const again = await run(...submit, 'a.csv');
  expect(again).toMatchObject({ code: 0, json: { started: false } });
  expect(again.stderr).toContain('the same job');
  expect(await run(...submit, 'b.csv')).toMatchObject({ code: 1, json: { error: 'conflict' } });
  const other = ['process', 'submit', '--id', 'job1', '--customer', 'cus_Other', '--file', 'a.csv'];
  const refused = await run(...other);
  expect(refused).toMatchObject({ code: 1, json: { error: 'conflict' } });
  expect(refused.stderr).toContain('is not among the customers');
});

test('FM1 a job whose row is there is compared with the row', async () => {
  const { processings } = tables();
  const job = { processingId: 'job2', customerId: 'cus_Aurora', fileCount: 1 };
  await processings.begin({ ...job, filesDigest: digestFiles(['a.csv']) }, '2026-11-21T10:00:00Z');
  await processings.fail('job2', 'cancelled', '2026-11-21T10:00:01Z');
  const submit = ['process', 'submit', '--id', 'job2', '--customer', 'cus_Aurora', '--file'];
  expect(await run(...submit, 'b.csv')).toMatchObject({ code: 1, json: { error: 'conflict' } });
  expect(await run(...submit, 'a.csv')).toMatchObject({ code: 0, json: { started: false } });
  const waited = await run(...submit, 'a.csv', '--wait');
  expect(waited).toMatchObject({ code: 1, json: { processing: { status: 'failed' } } });
  expect(waited.stderr).toContain('failed: cancelled');
  const listed = await run('process', 'list', '--status', 'failed');
  expect(listed.json).toMatchObject([{ processingId: 'job2' }]);
});

test('DL10 usage show has the whole life; DL9 redrive and discard by the command line', async () => {
  const { ledger, deadLetters } = tables();
  const at = '2026-11-21T10:00:00.000Z';
  for (const identifier of ['use1', 'use2']) {
    const source = { kind: 'processing', id: identifier } as const;
    const facts = { identifier, customerId: 'cus_Aurora', meter: 'file_processed' } as const;
    await ledger.record({ ...facts, quantity: '9007199254740993', occurredAt: at, source }, at);
    await ledger.claim(identifier, at);
    const about = { customerId: 'cus_Aurora', error: 'Stripe HTTP 500' };
    await deadLetters.open(newLetter('usage-parked', identifier, about), at);
    await ledger.layAside(identifier, 'parked', 'Stripe HTTP 500', at);
  }
  const parked = await run('usage', 'show', 'use1');
  expect(parked.json).toMatchObject({
    state: 'parked',
    life: [{ what: 'recorded' }, { what: 'sending' }, { what: 'parked: Stripe HTTP 500' }],
    deadLetters: [{ id: 'usage-parked/use1', status: 'open' }],
  });
  const seen = await durabill(['usage', 'show', 'use1'], servers.env);
  expect(seen.stdout).toContain('0 of 10 have arrived');
  const listed = await run('usage', 'list', '--customer', 'cus_Aurora', '--month', '2026-11');
  expect(listed.json).toMatchObject({ totals: [{ quantity: '18014398509481986' }] });
  const people = await durabill(
    ['usage', 'list', '--customer', 'cus_Aurora', '--month', '2026-11'],
    servers.env,
  );
  expect(people.stdout).toContain('18,014,398,509,481,986');

  const discarded = await run('dead-letters', 'discard', 'usage-parked/use2', '--reason', 'a test');
  expect(discarded).toMatchObject({ code: 0, json: { status: 'discarded' } });
  const all = await run('dead-letters', 'redrive', '--all', '--kind', 'usage-parked');
  expect(all).toMatchObject({
    code: 0,
    json: { redriven: [{ id: 'usage-parked/use1', outcome: 'redriven' }], failures: [] },
  });
  const again = await run('dead-letters', 'redrive', 'usage-parked/use1');
  expect(again).toMatchObject({ code: 0, json: { outcome: 'already-redriven' } });
  expect(await run('dead-letters', 'list')).toMatchObject({ code: 0, json: [] });
  const kept = await run('dead-letters', 'list', '--status', 'all');
  expect(kept.json).toHaveLength(2);
  expect(await run('customers', 'show', 'cus_Aurora')).toMatchObject({
    json: { undelivered: { records: 1, exact: true } },
  });
});

test('every schedule is applied, paused, resumed and triggered', async () => {
  const ids = schedules.map(({ id }) => id);
  const each = (fact: object) => ids.map((id) => ({ id, ...fact }));
  const onEach = async (verb: string): Promise<void> => {
    const runs = await Promise.all(ids.map(async (id) => await run('schedules', verb, id)));
    expect(runs.map(({ code }) => code)).toEqual(ids.map(() => 0));
  };
  const missing = await run('schedules', 'pause', 'daily-storage');
  expect(missing.code).toBe(1);
  expect(missing.stderr).toContain('schedules apply');
  expect((await run('schedules', 'apply')).json).toEqual(each({ outcome: 'created' }));
  await onEach('pause');
  expect((await run('schedules', 'apply')).json).toEqual(each({ outcome: 'updated' }));
  expect((await run('schedules', 'list')).json).toMatchObject(each({ state: 'paused' }));
  await onEach('resume');
  await onEach('trigger');
  expect((await run('schedules', 'list')).json).toMatchObject(each({ state: 'active' }));
});

test('a backfill of a schedule that Temporal has not is not found', async () => {
  const days = ['--from', '2026-02-01', '--to', '2026-02-02'];
  const elsewhere = { ...servers.env, TEMPORAL_NAMESPACE: 'temporal-system' };
  const { code, stderr } = await durabill(
    ['schedules', 'backfill', 'daily-storage', ...days],
    elsewhere,
  );
  expect(code).toBe(1);
  expect(stderr).toContain('schedules apply');
});

test('without settings the embedded stack is used while it runs, and not when it crashed', async () => {
  const cwd = await mkdtemp(path.join(tmpdir(), 'durabill-embedded-'));
  onTestFinished(async () => {
    await rm(cwd, { recursive: true, force: true });
  });
  const write = async (pid: number): Promise<void> => {
    const stack = { api: 'http://127.0.0.1:1', temporalUi: 'http://127.0.0.1:1', pid };
    await writeFile(path.join(cwd, 'stack.json'), JSON.stringify(stack));
  };
  await writeFile(path.join(cwd, 'env.json'), JSON.stringify(servers.env));
  await write(process.pid);
  // What would lead elsewhere is not taken from the caller.
  const env = { DURABILL_DATA: cwd, TABLE_PREFIX: 'elsewhere-', TEMPORAL_NAMESPACE: 'elsewhere' };
  const used = await durabill(['doctor', '--json'], env);
  expect(used.stdout).toContain('"check":"Temporal","state":"ok"');
  expect(used.stdout).toContain('"check":"tables","state":"ok"');
  await write(2 ** 22 + 1);
  const crashed = await durabill(['customers', 'list'], env);
  expect(crashed.code).toBe(1);
  expect(crashed.stderr).toContain('no stack is running here');
});
