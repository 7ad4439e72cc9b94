import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { durabill } from './support.ts';

/** A folder in which no stack runs. */
async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'durabill-empty-'));
  onTestFinished(async () => {
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

test('config names all problems at once, masks secrets, and prints one JSON value', async () => {
  const env = {
    STRIPE_SECRET_KEY: 'sk_test_thisisasecretkey',
    ADMIN_TOKEN: 'short',
    CURRENCY: 'YEN',
    PORT: 'abc',
  };
  const { code, stdout, stderr } = await durabill(['config', '--json'], env);
  expect(code).toBe(1);
  for (const name of ['ADMIN_TOKEN', 'CURRENCY', 'PORT']) expect(stderr).toContain(`  ${name}: `);
  const answer = JSON.parse(stdout) as { variables: { variable: string; value: string }[] };
  const valueOf = new Map(answer.variables.map(({ variable, value }) => [variable, value]));
  expect(valueOf.get('STRIPE_SECRET_KEY')).toBe('sk_test_…');
  expect(valueOf.get('BUCKET')).toBe('siftbeam');
  expect(stdout + stderr).not.toContain('thisisasecretkey');
});

test('config works without any stack', async () => {
  const { code, stdout } = await durabill(['config'], {}, { cwd: await emptyFolder() });
  expect(code).toBe(0);
  expect(stdout).toContain('TEMPORAL_ADDRESS');
  expect(stdout).toContain('no stack is running here');
});

test('a broken configuration stops a command with one message that lists every problem', async () => {
  const env = { TEMPORAL_ADDRESS: 'nowhere', CURRENCY: 'YEN' };
  const { code, stdout, stderr } = await durabill(['process', 'list'], env);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('2 problems');
  expect(stderr).toContain('TEMPORAL_ADDRESS: must be host:port');
  expect(stderr).toContain('CURRENCY');
});

test.each([
  [['nonsense']],
  [[]],
  [['customers']],
  [['customers', 'add']],
  [['process', 'submit', '--file', 'a.csv']],
  [['process', 'submit', '--customer', 'cus_1']],
  [['process', 'list', '--limit', '0']],
  [['process', 'list', '--status', 'lost']],
  [['process', 'list', '--nope']],
  [['usage', 'list', '--customer', 'cus_1', '--month', '2026-13']],
  [['usage', 'list', '--customer', 'cus_1', '--month', 'x']],
  [['dead-letters', 'redrive']],
  [['dead-letters', 'redrive', 'usage-parked/x', '--all']],
  [['dead-letters', 'redrive', 'usage-parked/x', '--kind', 'usage-parked']],
  [['dead-letters', 'discard', 'usage-parked/x']],
  [['storage', 'aggregate', '--day', '2026-02-30']],
  [['storage', 'aggregate', '--day', 'today']],
  [['storage', 'show']],
  [['storage', 'show', 'cus_1', '--month', '2026-00']],
  [['bill', 'month']],
  [['bill', 'month', '--month', '2026-2']],
  [['bill', 'month', '--month', '2026-02', '--dry-run', '--wait']],
  [['bill', 'show', 'cus_1']],
  [['schedules', 'backfill', 'daily-storage']],
  [['schedules', 'backfill', 'daily-storage', '--from', '2026-02-01', '--to', '2026-02-31']],
  [['schedules', 'backfill', 'daily-storage', '--from', '2026-02-02', '--to', '2026-02-01']],
  [['schedules', 'backfill', 'daily-storage', '--from', '2025-01-01', '--to', '2026-02-05']],
])('wrong usage exits 2 and says so on stderr: %j', async (args) => {
  const { code, stdout, stderr } = await durabill(args, {}, { cwd: await emptyFolder() });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).not.toBe('');
});

test('wrong usage with --json is one JSON value too', async () => {
  const { code, stdout } = await durabill(['process', 'list', '--nope', '--json']);
  expect(code).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({ error: 'invalid_request' });
});

test('help at every level has examples and exits 0', async () => {
  const levels = [
    ['--help'],
    ['process', 'submit', '--help'],
    ['dead-letters', 'redrive', '-h'],
    ['storage', 'aggregate', '--help'],
    ['bill', 'month', '--help'],
    ['schedules', 'backfill', '--help'],
  ];
  for (const args of levels) {
    const { code, stdout } = await durabill(args);
    expect(code).toBe(0);
    expect(stdout).toContain('Examples:');
  }
});

test('without a stack a command says how to get one', async () => {
  const cwd = await emptyFolder();
  const { code, stdout, stderr } = await durabill(['customers', 'list', '--json'], {}, { cwd });
  expect(code).toBe(1);
  expect(stderr).toContain('no stack is running here');
  expect(stderr).toContain('npm start');
  expect(JSON.parse(stdout)).toMatchObject({ error: 'unavailable' });
});

const customer = ['process', 'submit', '--customer', 'cus_1'];
test.each([
  ['is not a Stripe customer id', ['customers', 'add', 'nobody']],
  ['is not a Stripe customer id', ['customers', 'add', 'cus_\u001b[31m']],
  ['is not a Stripe customer id', ['customers', 'show', '../cus_1']],
  ['not an e-mail address', ['customers', 'add', 'cus_1', '--email', 'nobody']],
  ['must be 1 to 200', ['customers', 'add', 'cus_1', '--name', ' ']],
  ['not a plain path', [...customer, '--file', '../secret']],
  ['own customer', [...customer, '--file', 'service/input/cus_2/a.csv']],
  ['own customer', [...customer, '--file', 'service/output/cus_1/a.csv']],
  ['not a plain path', [...customer, '--file', '/etc/passwd']],
  ['named twice', [...customer, '--file', 'a', '--file', 'a']],
  ['not a processing id', [...customer, '--file', 'a', '--id', 'x/files/000']],
  ['cannot be read', [...customer, '--files-from', '/nowhere/at/all']],
  ['not a processing id', ['process', 'show', 'x/files/000']],
  ['no usage record', ['usage', 'show', 'x'.repeat(3000)]],
  ['no dead letter', ['dead-letters', 'redrive', '']],
  ['reason must be', ['dead-letters', 'discard', 'x', '--reason', ' ']],
  ['no schedule "nonsense"', ['schedules', 'trigger', 'nonsense']],
  [
    'no schedule "nonsense"',
    ['schedules', 'backfill', 'nonsense', '--from', '2026-02-01', '--to', '2026-02-01'],
  ],
  ['is not a Stripe customer id', ['storage', 'show', 'nobody']],
  ['is not a Stripe customer id', ['bill', 'show', '../cus_1', '--month', '2026-02']],
])('bad input is refused before anything is connected: … %s … (%#)', async (message, args) => {
  const { code, stdout, stderr } = await durabill(args, {}, { cwd: await emptyFolder() });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(message);
  // oxlint-disable-next-line no-control-regex
  expect(stderr).not.toMatch(/\u001b/);
});

test.each([
  ['', 'the list of files is empty'],
  ['a\0b', 'control character'],
  [Array.from({ length: 10_001 }, (_, number) => `f${number}`).join('\n'), 'at most 10000'],
])('FM12 a list from standard input is checked as well (%#)', async (stdin, message) => {
  const args = [...customer, '--files-from', '-'];
  const { code, stderr } = await durabill(args, {}, { stdin, cwd: await emptyFolder() });
  expect(code).toBe(1);
  expect(stderr).toContain(message);
});

test('servers that are away are named, within seconds, with what to do', async () => {
  const away = 'http://127.0.0.1:1';
  const env = {
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'y',
    STRIPE_SECRET_KEY: 'sk_test_x',
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    DYNAMODB_ENDPOINT: away,
    S3_ENDPOINT: away,
    STRIPE_API_BASE: away,
  };
  const doctor = await durabill(['doctor', '--json'], env);
  expect(doctor.code).toBe(1);
  const { checks } = JSON.parse(doctor.stdout) as { checks: { check: string; state: string }[] };
  const down = checks.filter(({ state }) => state === 'down').map(({ check }) => check);
  expect(down).toEqual([
    'tables',
    'bucket',
    'Stripe',
    'webhook endpoints',
    'webhook events',
    'dead letters',
    'Temporal',
  ]);
  const schedules = await durabill(['schedules', 'list'], env);
  expect(schedules.code).toBe(1);
  expect(schedules.stderr).toContain('Temporal at 127.0.0.1:1 does not answer');
  const setup = await durabill(['setup'], env);
  expect(setup.code).toBe(1);
  for (const who of ['S3 at', 'DynamoDB at', 'Temporal at', 'Stripe']) {
    expect(setup.stderr).toContain(`${who}`);
  }
});
