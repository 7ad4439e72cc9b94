import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { durabill } from './support.ts';

let services: Services;

beforeAll(async () => {
  services = await startServices();
  const createdAt = '2026-11-21T10:00:00.000Z';
  await services.customers.add({
    customerId: 'cus_1',
    plan: 'free',
    billingStatus: 'none',
    createdAt,
  });
});
afterAll(async () => {
  await services.stop();
});

async function run(...args: string[]) {
  const { code, stdout, stderr } = await durabill([...args, '--json'], services.env);
  return { code, stderr, json: JSON.parse(stdout) as Record<string, unknown> };
}

test('GA1 a budget is set and shown; bad limits and strangers are refused', async () => {
  expect(await run('budgets', 'show', 'cus_1')).toMatchObject({
    code: 1,
    json: { error: 'not_found' },
  });
  const set = await run('budgets', 'set', 'cus_1', '--hard', '5000', '--soft', '4000');
  const budget = {
    customerId: 'cus_1',
    hardLimitCents: 5000,
    softLimitCents: 4000,
    usedCents: 0,
    reservedCents: 0,
    leftCents: 5000,
  };
  expect(set).toMatchObject({ code: 0, json: budget });
  expect(await run('budgets', 'set', 'cus_1', '--hard', '700')).toMatchObject({ code: 0 });
  const shown = await durabill(['budgets', 'show', 'cus_1'], services.env);
  expect(shown.stdout).toMatch(/hard limit +\$7\.00/);
  expect(shown.stdout).not.toContain('soft');
  for (const [args, code, error] of [
    [['cus_2', '--hard', '1'], 1, 'not_found'],
    [['cus_1', '--hard', '1', '--soft', '2'], 1, 'invalid_request'],
    [['cus_1', '--hard', '1.5'], 2, 'invalid_request'],
    [['../cus_1', '--hard', '1'], 1, 'invalid_request'],
    [['cus_1'], 2, 'invalid_request'],
  ] as const) {
    expect(await run('budgets', 'set', ...args)).toMatchObject({ code, json: { error } });
  }
  expect(await run('budgets', 'show', 'cus_1')).toMatchObject({ json: { hardLimitCents: 700 } });
});

test('GA6 a key is made, shown this once, rotated and deleted', async () => {
  const made = await run('keys', 'create', '--customer', 'cus_1', '--name', 'production');
  expect(made).toMatchObject({ code: 0, json: { customerId: 'cus_1', name: 'production' } });
  const prefix = String(made.json['prefix']);
  const key = String(made.json['key']);
  const rotated = await run('keys', 'rotate', prefix, '--overlap-hours', '1');
  expect(rotated).toMatchObject({ code: 0, json: { replaced: { prefix } } });
  const listed = await durabill(['keys', 'list', '--customer', 'cus_1'], services.env);
  expect(listed.stdout).toContain(prefix);
  expect(listed.stdout).not.toContain(key);
  expect(await run('keys', 'delete', prefix)).toMatchObject({ code: 0, json: { prefix } });
  const left = await run('keys', 'list');
  expect(left.json).toMatchObject([{ prefix: rotated.json['prefix'] }]);
  expect(await run('keys', 'delete', prefix)).toMatchObject({
    code: 1,
    json: { error: 'not_found' },
  });
  const whole = await run('keys', 'delete', key);
  expect(whole).toMatchObject({ code: 1, json: { error: 'invalid_request' } });
  expect(whole.stderr).not.toContain(key);
});

test('GA17 import by the command line: a dry run first, then once, and only with a key', async () => {
  await services.control.createCustomer({ id: 'cus_new', name: 'Aoi' });
  await services.control.createCustomer({ id: 'cus_1' });
  const args = ['customers', 'import', '--from-stripe'];
  const wouldBe = await run(...args, '--dry-run');
  const sums = { added: ['cus_new'], changed: [], deleted: [], unchanged: 1, failures: [] };
  expect(wouldBe).toMatchObject({ code: 0, json: { dryRun: true, ...sums } });
  expect(await services.customers.get('cus_new')).toBeUndefined();
  expect(await run(...args)).toMatchObject({ code: 0, json: { dryRun: false, ...sums } });
  expect(await services.customers.get('cus_new')).toMatchObject({ name: 'Aoi', plan: 'free' });
  expect(await run('customers', 'import')).toMatchObject({ code: 2 });
  const off = await durabill([...args, '--json'], { ...services.env, STRIPE_SECRET_KEY: '' });
  expect(off.code).toBe(1);
  expect(JSON.parse(off.stdout)).toMatchObject({ error: 'billing_disabled' });
});
