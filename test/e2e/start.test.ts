/**
 * The embedded stack as a user has it: `npm start`, the command line beside it, and everything that
 * is killed. Three starts on one data folder, one story after the other.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Client } from '@temporalio/client';
import type Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { killGroup } from '../../dev/stack/child-groups.ts';
import { isSameProcess } from '../../dev/stack/process-identity.ts';
import { resolveTool } from '../../dev/tools/resolve.ts';
import { createStripeControl } from '../../stripe-double/control.ts';
import type { StripeControl } from '../../stripe-double/control.ts';
import { workflowIds } from '../../domain/ids.ts';
import { createDynamoDb } from '../../platform/dynamodb.ts';
import { createStripe } from '../../platform/stripe.ts';
import { parseConfig } from '../../platform/config.ts';
import { createTemporalClient } from '../../platform/temporal.ts';
import { createEngine } from '../../engine/engine.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import { openTables } from '../../tables/open.ts';
import { tableSchemas } from '../../tables/schema.ts';
import { durabill } from '../cli/support.ts';
import type { Run } from '../cli/support.ts';
import { freePorts, launch, livingOf, processNamed, readProcesses } from './embedded-stack.ts';
import type { Launcher, Summary } from './embedded-stack.ts';
import { tellGuardedApi } from './guarded-api.ts';

const aurora = 'cus_DemoAurora';
/** The `temporal` CLI has the UI in it. */
const { isTemporalCli } = await resolveTool('temporal-server');
const ui = isTemporalCli ? [] : ['temporal-ui'];
const servers = ['dynamodb', 's3', 'server', 'stripe', 'temporal', ...ui, 'worker'];
const demoJobs = (run: number): string[] =>
  ['aurora-sensor', 'aurora-survey', 'basalt-access-log', 'basalt-catalogue', 'cedar-claims'].map(
    (name) => `demo-${name}-${run}`,
  );
/** What one run of the demo bills, by customer: the two casts of the first one among it. */
const demoBytes = { cus_DemoAurora: 101_488, cus_DemoBasalt: 1_098_902, cus_DemoCedar: 310_846 };
/** The bytes of `sensor/reading.bin`, which further jobs here process. */
const readingBytes = 1024;

let dataDir = '';
let ports: Record<string, string> = {};
let launcher: Launcher;
const launched: Launcher[] = [];
const temporaryFolders: string[] = [];
const stackFile = (): string => path.join(dataDir, 'stack.json');

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'durabill-start-'));
  temporaryFolders.push(folder);
  return folder;
}

beforeAll(async () => {
  dataDir = await temporaryFolder();
  ports = await freePorts();
});
afterAll(async () => {
  for (const one of launched) await one.stop();
  // Only there when a test failed between a SIGKILL and the next start.
  if (existsSync(path.join(dataDir, 'processes.json'))) {
    for (const record of readProcesses(dataDir)) if (isSameProcess(record)) killGroup(record.pid);
  }
  for (const folder of temporaryFolders) await rm(folder, { recursive: true, force: true });
});

function start(...args: string[]): Launcher {
  const started = launch([...args, '--json'], { DURABILL_DATA: dataDir, ...ports });
  launched.push(started);
  return started;
}

/** No connection setting: the command line finds the stack by its folder. */
const cli = async (...args: string[]): Promise<Run> =>
  await durabill(args, { DURABILL_DATA: dataDir });

/** I1 I2: processed, recorded and received are these bytes, and nothing waits. */
function expectSums(summary: Summary, runs: number, extraAurora = 0): void {
  const expected = Object.entries(demoBytes).map(([customerId, bytes]) => {
    const total = String(bytes * runs + (customerId === aurora ? extraAurora : 0));
    return [customerId, total, total, total, 0];
  });
  const found = summary.demo.customers.map((sums) => [
    sums.customerId,
    sums.processedBytes,
    sums.ledgerBytes,
    sums.stripeBytes,
    sums.waiting,
  ]);
  expect(found).toEqual(expected);
  expect(summary).toMatchObject({ ok: true, demo: { equal: true } });
}

/** The account that webhooks made active; the demo pays for it on its first run only. */
const paidAccount = {
  customerId: 'cus_DemoBasalt',
  billingStatus: 'active',
  subscriptions: [{ subscriptionId: expect.stringMatching(/^sub_/) as string, status: 'active' }],
  payments: [
    { paymentId: expect.stringMatching(/^pi_/) as string, status: 'succeeded', amount: 2000 },
  ],
  equal: true,
};
let accountsOfFirst: Summary['demo']['accounts'] = [];
/** Of the first two runs. */
const castIds: string[] = [];

/** GA1: two casts within the budget ran, and one more was refused with its figures. */
function expectBudget({ demo: { budget } }: Summary, earlierCents: number): void {
  const cast = {
    processingId: expect.stringMatching(/^cast-[0-9a-f]{32}$/) as string,
    status: 'completed',
    costCents: 1,
  };
  expect(budget).toEqual({
    casts: [cast, cast],
    refusal: { error: 'budget_exceeded', limitCents: earlierCents + 2, requestedCents: 1 },
  });
  castIds.push(...budget.casts.map(({ processingId }) => processingId));
}

describe('the first start, --once', () => {
  test('ends with 0 and one JSON line on stdout; the three sums are equal; nothing is left', async () => {
    launcher = start('--once');
    const summary = await launcher.summary;
    const children = readProcesses(dataDir);
    expect(await launcher.exited).toEqual({ code: 0, signal: null });
    expect(launcher.stdout().split('\n')).toEqual([expect.stringMatching(/^\{.*\}$/), '']);
    expectSums(summary, 1);
    expect(summary.demo.jobs).toEqual(demoJobs(1));
    expectBudget(summary, 0);
    expect(summary.demo.accounts).toEqual([paidAccount]);
    accountsOfFirst = summary.demo.accounts;
    expect(livingOf(children)).toEqual([]);
    expect(existsSync(stackFile())).toBe(false);
  });
});

describe('the second start stays up', () => {
  let stack: Record<string, string> = {};
  let temporal: Client;
  let dynamodb: DynamoDBClient;
  let control: StripeControl;
  let stripe: Stripe;

  beforeAll(async () => {
    launcher = start();
    await launcher.summary;
    stack = JSON.parse(readFileSync(stackFile(), 'utf8')) as Record<string, string>;
    const file = readFileSync(path.join(dataDir, 'env.json'), 'utf8');
    const env = z.record(z.string(), z.string()).parse(JSON.parse(file));
    temporal = createTemporalClient(parseConfig(env), env);
    dynamodb = createDynamoDb(parseConfig(env));
    const withKey = createStripe(parseConfig(env));
    if (withKey === undefined) throw new Error('the stack has no Stripe key');
    stripe = withKey;
    control = createStripeControl(stack['stripe'] ?? '');
  });
  afterAll(async () => {
    await temporal.connection.close();
    dynamodb.destroy();
  });

  test('data survived: the sums have grown and are equal, each job is at Stripe once', async () => {
    const summary = await launcher.summary;
    expectSums(summary, 2);
    expectBudget(summary, 2);
    expect(summary.demo.accounts).toEqual(accountsOfFirst);
    const events = await control.events({ eventName: 'file_processed' });
    const identifiers = events.map((event) => event.identifier);
    expect(identifiers.toSorted()).toEqual([...demoJobs(1), ...demoJobs(2), ...castIds].toSorted());
  });

  test('GA6 GA7 the demo’s key opens its customer’s routes, and the soft limit’s alert was shown', async () => {
    const { demo } = z
      .object({ demo: z.object({ apiKey: z.string() }) })
      .parse(JSON.parse(readFileSync(stackFile(), 'utf8')));
    const headers = { authorization: `Bearer ${demo.apiKey}` };
    const answer = await fetch(`${stack['api'] ?? ''}/v1/casts`, { headers });
    expect(answer.status).toBe(200);
    const { casts } = z
      .object({ casts: z.array(z.object({ processingId: z.string() })) })
      .parse(await answer.json());
    const told = casts.map(({ processingId }) => processingId);
    expect(told.filter((id) => id.startsWith('cast-')).toSorted()).toEqual(castIds.toSorted());
    const line = new RegExp(
      `^Alert: a customer has passed its soft limit \\(${aurora}, .*\\)$`,
      'gm',
    );
    // Once a month: by the first start, or by this one where that had ended before it was told.
    const shown = (): number =>
      launched.flatMap(({ stderr }) => [...stderr().matchAll(line)]).length;
    await expect.poll(shown, { timeout: 300_000 }).toBe(1);
    // The demo takes its budget away again.
    expect((await fetch(`${stack['api'] ?? ''}/v1/budgets`, { headers })).status).toBe(404);
  });

  test('stack.json holds every endpoint, for this user’s eyes only', () => {
    const url = (variable: string): string => `http://127.0.0.1:${ports[variable] ?? ''}`;
    expect(stack).toEqual({
      api: url('PORT'),
      temporal: `127.0.0.1:${ports['TEMPORAL_PORT'] ?? ''}`,
      temporalUi: url('TEMPORAL_UI_PORT'),
      dynamodb: url('DYNAMODB_PORT'),
      s3: url('S3_PORT'),
      stripe: url('STRIPE_PORT'),
      alerts: url('ALERTS_PORT'),
      adminToken: expect.stringMatching(/^\S{32,}$/) as unknown,
      demo: { customerId: aurora, apiKey: expect.stringMatching(/^\S{32,}$/) as unknown },
      pid: launcher.pid,
    });
    for (const name of ['stack.json', 'env.json', 'secrets.json']) {
      expect([name, statSync(path.join(dataDir, name)).mode & 0o777]).toEqual([name, 0o600]);
    }
  });

  test('GA8 a worker’s metrics have the SDK’s own beside ours, each that the dashboard shows', async () => {
    const url = `http://127.0.0.1:${ports['WORKER_HEALTH_PORT'] ?? ''}/metrics`;
    const told = await (await fetch(url)).text();
    expect(told).toMatch(/^durabill_files_processed_total \d+$/m);
    const dashboard = readFileSync('deploy/grafana/dashboards/durabill.json', 'utf8');
    const shown = new Set(dashboard.match(/\btemporal_[a-z_]+/g));
    expect(shown.size).toBeGreaterThan(0);
    // The last is there once Temporal has refused a call, which it need not have.
    const missing = [...shown].filter((name) => !told.includes(`\n${name}{`));
    expect(missing.filter((name) => name !== 'temporal_request_failure_total')).toEqual([]);
  });

  test('every endpoint answers', async () => {
    const addresses = [
      `${stack['api'] ?? ''}/healthz`,
      `${stack['api'] ?? ''}/readyz`,
      `${stack['api'] ?? ''}/metrics`,
      `${stack['s3'] ?? ''}/healthz`,
      `${stack['temporalUi'] ?? ''}/`,
      `${stack['stripe'] ?? ''}/`,
    ];
    const answers = await Promise.all(addresses.map(async (address) => await fetch(address)));
    expect(answers.map(({ status }, index) => [addresses[index], status])).toEqual(
      addresses.map((address) => [address, 200]),
    );
    const pages = answers.slice(-2).map(({ headers }) => headers.get('content-type'));
    expect(pages).toEqual([
      expect.stringContaining('text/html'),
      expect.stringContaining('text/html'),
    ]);
    const { TableNames = [] } = await dynamodb.send(new ListTablesCommand({}));
    const wanted = Object.values(tableSchemas).map(({ name }) => `siftbeam-${name}`);
    expect(TableNames.toSorted()).toEqual(wanted.toSorted());
  });

  test('a customer’s workflows are found by CustomerId, in the client and in the UI', async () => {
    const query = `CustomerId = '${aurora}' AND WorkflowType = 'processFiles'`;
    const jobs = [...demoJobs(1), ...demoJobs(2)].filter((job) => job.startsWith('demo-aurora'));
    const wanted = [...jobs, ...castIds].map(workflowIds.processFiles).toSorted();
    const found: string[] = [];
    for await (const { workflowId } of temporal.workflow.list({ query })) found.push(workflowId);
    expect(found.toSorted()).toEqual(wanted);
    const address = `${stack['temporalUi'] ?? ''}/api/v1/namespaces/default/workflows`;
    const answer = await fetch(`${address}?query=${encodeURIComponent(query)}`);
    const { executions } = z
      .object({
        executions: z.array(z.object({ execution: z.object({ workflowId: z.string() }) })),
      })
      .parse(await answer.json());
    expect(executions.map(({ execution }) => execution.workflowId).toSorted()).toEqual(wanted);
  });

  test('GA9 checkout, paid, active by webhook, a budget, casts until 402; the metrics show each', async () => {
    const lines: string[] = [];
    const { api = '', stripe: atStripe = '', adminToken = '' } = stack;
    const told = await tellGuardedApi({ api, stripe: atStripe, adminToken }, (line) => {
      lines.push(line);
    });
    expect(told).toMatchObject({
      account: 'active',
      answers: [202, 202, 202, 402],
      refusal: { error: 'budget_exceeded', limitCents: 3, requestedCents: 1 },
      usedCents: 3,
      bytes: '6000',
      risen: { checkout: 1, casts: 3, refusals: 1, seconds: 4 },
    });
    expect(await control.total(told.customerId, 'file_processed')).toBe('6000');
    expect(lines.length).toBeGreaterThan(8);
  });

  test('GA16 a payment that fails at Stripe is an alert, which the launcher shows in one line', async () => {
    const customer = 'cus_NoMoney';
    await control.createCustomer({ id: customer });
    const card = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer });
    const { id } = await stripe.invoices.create({ customer, currency: 'usd' });
    await stripe.invoiceItems.create({ customer, invoice: id, amount: 500, currency: 'usd' });
    await stripe.invoices.finalizeInvoice(id);
    const paying = stripe.invoices.pay(id, { payment_method: card.id });
    await expect(paying).rejects.toThrow('declined');
    const line = `Alert: a payment failed (${customer}, invoiceId ${id})\n`;
    await expect.poll(() => launcher.stderr(), { timeout: 300_000 }).toContain(line);
    expect(launcher.stderr().split(line)).toHaveLength(2);
  });

  test('the command line talks to it without a setting', async () => {
    const file = ['--customer', aurora, '--file', 'sensor/reading.bin'];
    const submitted = await cli('process', 'submit', ...file, '--id', 'cli-1', '--wait', '--json');
    expect({ code: submitted.code, stderr: submitted.stderr }).toMatchObject({ code: 0 });
    const processing = {
      processingId: 'cli-1',
      customerId: aurora,
      status: 'completed',
      totalBytes: readingBytes,
    };
    const delivery = { state: 'delivered', attempts: 1 };
    expect(JSON.parse(submitted.stdout)).toMatchObject({ processing, delivery });

    // The doctor goes alone: its limits are meant for a machine that does not run six of us at once.
    const doctor = await cli('doctor', '--json');
    const [shown, listed, usage, usages, letters] = await Promise.all([
      cli('process', 'show', 'cli-1', '--json'),
      cli('process', 'list', '--customer', aurora, '--json'),
      cli('usage', 'show', 'cli-1', '--json'),
      cli('usage', 'list', '--customer', aurora, '--json'),
      cli('dead-letters', 'list', '--status', 'all', '--json'),
    ]);
    expect(JSON.parse(letters.stdout)).toEqual([]);
    for (const { code, stderr } of [shown, listed, usage, usages, letters, doctor]) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    }
    expect(JSON.parse(shown.stdout)).toMatchObject({ processing, delivery });
    expect(JSON.parse(usage.stdout)).toMatchObject({
      identifier: 'cli-1',
      quantity: String(readingBytes),
      state: 'delivered',
      deadLetters: [],
    });
    const total = demoBytes.cus_DemoAurora * 2 + readingBytes;
    expect(JSON.parse(usages.stdout)).toMatchObject({
      totals: expect.arrayContaining([
        { meter: 'file_processed', quantity: String(total) },
      ]) as unknown,
    });
    expect(JSON.parse(doctor.stdout)).toMatchObject({ ok: true });
    expect(listed.stdout).toContain('"cli-1"');
    expect(await control.events({ identifier: 'cli-1' })).toHaveLength(1);
  });

  /** An open checkout of a monthly fee for a new customer, and what our tables say of it. */
  async function openCheckout(name: string) {
    const { id: customer } = await stripe.customers.create({ name });
    const fee = {
      currency: 'usd',
      product_data: { name: 'A month' },
      recurring: { interval: 'month' as const },
      unit_amount: 500,
    };
    const session = await stripe.checkout.sessions.create({
      mode: 'subscription',
      customer,
      line_items: [{ price_data: fee, quantity: 1 }],
      success_url: 'http://127.0.0.1/done',
    });
    const { customers, payments, subscriptions } = openTables(
      createTableStore(dynamodb, 'siftbeam-'),
    );
    const account = async () => ({
      // Its customer.created may have come, or not yet.
      standing: (await customers.get(customer))?.billingStatus ?? 'none',
      payments: (await payments.ofCustomer(customer, 10)).map(({ status, amount }) => [
        status,
        amount,
      ]),
      subscriptions: (await subscriptions.ofCustomer(customer)).map((row) => [
        row.subscriptionId,
        row.status,
      ]),
    });
    return { customer, session: session.id, account };
  }

  const nothingYet = { standing: 'none', payments: [], subscriptions: [] };
  const activeWith = (subscription: string | null) => ({
    standing: 'active',
    payments: [['succeeded', 500]],
    subscriptions: [[subscription, 'active']],
  });

  test('WH2 I6 a checkout paid at Stripe: by its own webhooks the account is active, paid, subscribed', async () => {
    const { customer, session, account } = await openCheckout('Paying');
    expect(await account()).toEqual(nothingYet);
    const { subscription } = await control.payCheckout(session);
    await expect
      .poll(account, { timeout: 300_000, interval: 50 })
      .toEqual(activeWith(subscription));
    // The launcher's endpoint alone; this test registered none.
    const endpoints = await stripe.webhookEndpoints.list();
    expect(endpoints.data.map(({ url, status }) => [url, status])).toEqual([
      [`${stack['api'] ?? ''}/webhooks/stripe`, 'enabled'],
    ]);
    const { code, stdout } = await cli('customers', 'show', customer, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ customer: { billingStatus: 'active' } });
  });

  test('bad input gets one clear message and its exit code', async () => {
    const folder = await temporaryFolder();
    const empty = path.join(folder, 'empty.txt');
    const many = path.join(folder, 'many.txt');
    await writeFile(empty, '\n\n');
    await writeFile(many, Array.from({ length: 10_001 }, (_, index) => `f${index}`).join('\n'));
    const submit = (...args: string[]): string[] => [
      'process',
      'submit',
      '--customer',
      aurora,
      ...args,
    ];
    const cases: { args: string[]; code: number; said: RegExp; env?: Record<string, string> }[] = [
      {
        args: submit('--file', 'absent.csv', '--wait'),
        code: 1,
        said: /failed: service\/input\/cus_DemoAurora\/absent\.csv does not exist$/m,
      },
      { args: submit('--files-from', empty), code: 1, said: /^error: the list of files is empty/m },
      {
        args: submit('--files-from', many),
        code: 1,
        said: /^error: 10001 files in one job: at most/m,
      },
      { args: submit('--file', '../cus_DemoCedar/x'), code: 1, said: /^error: "\.\.\/.* leaves /m },
      {
        args: submit('--file', 'service/input/cus_DemoCedar/x'),
        code: 1,
        said: /^error: ".*" is outside service\/input\/cus_DemoAurora\//m,
      },
      { args: submit(), code: 2, said: /^error: name (at least one|a) file/m },
      { args: ['process', 'show', 'never'], code: 1, said: /^error: no processing never/m },
      {
        args: ['process', 'list'],
        env: { HOURLY_RATE: 'much', CURRENCY: 'YEN' },
        code: 1,
        said: /^error: the configuration has 2 problems:\n {2}HOURLY_RATE: .*\n {2}CURRENCY: .*$/m,
      },
    ];
    const runs = await Promise.all(
      cases.map(async ({ args, env }) => await durabill(args, { DURABILL_DATA: dataDir, ...env })),
    );
    for (const [index, { args, code, said }] of cases.entries()) {
      const run = runs[index];
      // Progress, or the advice of wrong usage, stands beside the message.
      expect([args, run?.code, run?.stderr.trim()]).toEqual([
        args,
        code,
        expect.stringMatching(said),
      ]);
      expect(run?.stderr).not.toMatch(/\n\s+at /);
    }
    // Four jobs and four casts of the demo and one of the command line, as before.
    const events = await control.events({ customer: aurora, eventName: 'file_processed' });
    expect(events).toHaveLength(9);
  });

  test('DL2 I8 SIGKILL of the worker while Stripe holds its meter event: started again, billed once', async () => {
    const processingId = 'killed-worker';
    await control.fault({ kind: 'hang_after', where: { identifier: processingId } });
    const request = { processingId, customerId: aurora, files: ['sensor/reading.bin'] };
    await createEngine(temporal, { taskQueue: 'durabill' }).startProcessing(request);
    await control.waitForHanging();
    const { pid } = processNamed(dataDir, 'worker');
    process.kill(pid, 'SIGKILL');
    await control.releaseHanging();
    await expect
      .poll(() => processNamed(dataDir, 'worker').pid, { timeout: 300_000, interval: 100 })
      .not.toBe(pid);
    const handle = temporal.workflow.getHandle(workflowIds.processFiles(processingId));
    expect(await handle.result()).toMatchObject({ totalBytes: 1024, delivery: 'delivered' });
    const events = await control.events({ identifier: processingId });
    expect(events.map(({ value }) => value)).toEqual(['1024']);
  });

  const sixTimes = Array.from({ length: 6 }, () => String(readingBytes));

  /** Six jobs, one held at Stripe and the others behind it, when these are killed; what Stripe got. */
  async function killInTheMiddle(what: string, victims: readonly string[]): Promise<string[]> {
    const ids = Array.from({ length: 6 }, (_, index) => `killed-${what}-${index}`);
    const eventsOf = async () =>
      (await control.events({ customer: aurora })).filter((event) =>
        ids.includes(event.identifier),
      );
    // Whichever comes first is held, and the others of its customer wait behind it.
    await control.fault({
      kind: 'hang_before',
      where: { 'payload[stripe_customer_id]': aurora, event_name: 'file_processed' },
    });
    for (const processingId of ids) {
      const request = { processingId, customerId: aurora, files: ['sensor/reading.bin'] };
      await createEngine(temporal, { taskQueue: 'durabill' }).startProcessing(request);
    }
    await control.waitForHanging();
    expect(await eventsOf()).toEqual([]);
    const killed = victims.map((name) => processNamed(dataDir, name));
    for (const { pid } of killed) process.kill(pid, 'SIGKILL');
    if (!victims.includes('stripe')) await control.releaseHanging();
    // While a server is away the question itself fails, and is asked again.
    const statuses = async (): Promise<string[]> =>
      await Promise.all(
        ids.map(async (id) => {
          const handle = temporal.workflow.getHandle(workflowIds.processFiles(id));
          return (await handle.describe()).status.name;
        }),
      );
    await expect
      .poll(statuses, { timeout: 300_000, interval: 500 })
      .toEqual(ids.map(() => 'COMPLETED'));
    const running = (): string[] => readProcesses(dataDir).map(({ name }) => name);
    await expect
      .poll(() => running().toSorted(), { timeout: 300_000, interval: 100 })
      .toEqual(servers);
    expect(livingOf(killed)).toEqual([]);
    const events = await eventsOf();
    expect(events.map(({ identifier }) => identifier).toSorted()).toEqual(ids);
    return events.map(({ value }) => value);
  }

  test('I8 SIGKILL of Temporal in the middle of several jobs: each ends, each is billed once', async () => {
    expect(await killInTheMiddle('temporal', ['temporal'])).toEqual(sixTimes);
  });

  test('I3 I8 SIGKILL of tables, bucket, Stripe, UI and API at once: the same', async () => {
    const victims = ['dynamodb', 's3', 'stripe', ...ui, 'server'];
    expect(await killInTheMiddle('others', victims)).toEqual(sixTimes);
    await expect
      .poll(async () => (await fetch(`${stack['api'] ?? ''}/readyz`)).status, { timeout: 300_000 })
      .toBe(200);
  });

  test('I5 I6 SIGKILL of Stripe before it has told anyone, and of the API: it tells when both are back', async () => {
    const { session, account } = await openCheckout('Paying, then silence');
    await control.configureWebhooks({ paused: true });
    const { subscription } = await control.payCheckout(session);
    expect(await account()).toEqual(nothingYet);
    for (const name of ['stripe', 'server'])
      process.kill(processNamed(dataDir, name).pid, 'SIGKILL');
    await expect
      .poll(account, { timeout: 300_000, interval: 100 })
      .toEqual(activeWith(subscription));
  });

  test('the launcher has said what died and that it runs again', () => {
    const said = launcher.stderr();
    for (const name of servers) {
      expect(said).toMatch(
        new RegExp(`^${name} \\(pid \\d+\\) died with SIGKILL: starting it`, 'm'),
      );
      expect(said).toMatch(new RegExp(`^${name} runs again \\(pid \\d+\\)$`, 'm'));
    }
  });

  test('a second start on the same folder is refused, by the pid of the first', async () => {
    const second = launch(['--once'], { DURABILL_DATA: dataDir });
    expect((await second.exited).code).toBe(1);
    const said = second.stdout() + second.stderr();
    expect(said).toContain(`already runs on ${dataDir} (pid ${launcher.pid})`);
    expect(said).toContain(stack['api']);
    expect((await fetch(`${stack['api'] ?? ''}/readyz`)).status).toBe(200);
  });
});

describe('after SIGKILL of the launcher', () => {
  test('the next start ends what was left, loses nothing, and SIGINT stops every process', async () => {
    const orphans = readProcesses(dataDir);
    process.kill(launcher.pid, 'SIGKILL');
    expect(await launcher.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(livingOf(orphans)).toEqual(orphans.map(({ name }) => name));

    launcher = start();
    const summary = await launcher.summary;
    expect(livingOf(orphans)).toEqual([]);
    expect(launcher.stderr()).toContain('left by a launcher that crashed');
    // Three runs of the demo, one job of the command line, one and twice six that met a SIGKILL.
    expectSums(summary, 3, 14 * readingBytes);
    expect(summary.demo.accounts).toEqual(accountsOfFirst);

    const children = readProcesses(dataDir);
    expect(livingOf(children).toSorted()).toEqual(servers);
    process.kill(launcher.pid, 'SIGINT');
    expect(await launcher.exited).toEqual({ code: 0, signal: null });
    expect(livingOf(children)).toEqual([]);
    expect(existsSync(stackFile())).toBe(false);
    const { code, stderr } = await cli('process', 'list');
    expect(code).toBe(1);
    expect(stderr).toContain('no stack is running here');
  });
});

test('WH1 a start on an earlier day, and then one of today on the same data: all is equal on both', async () => {
  const folder = await temporaryFolder();
  const settings = { DURABILL_DATA: folder, ...ports };
  const earlier = launch(['--once', '--json'], {
    ...settings,
    DURABILL_CLOCK: '2026-03-01T02:30:00Z',
  });
  launched.push(earlier);
  const then = await earlier.summary;
  expect((await earlier.exited).code).toBe(0);
  expectSums(then, 1);
  expect(then.demo.accounts).toEqual([paidAccount]);
  const today = launch(['--once', '--json'], settings);
  launched.push(today);
  const now = await today.summary;
  expect((await today.exited).code).toBe(0);
  expectSums(now, 2);
  expect(now.demo.accounts).toEqual(then.demo.accounts);
});

describe('a start that cannot be', () => {
  test('a taken port that was asked for is an error that names its variable', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => {
      taken.listen(0, '127.0.0.1', resolve);
    });
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const folder = await temporaryFolder();
    const refused = launch(['--once', '--json'], {
      DURABILL_DATA: folder,
      ...ports,
      S3_PORT: String(port),
    });
    expect((await refused.exited).code).toBe(1);
    expect(JSON.parse(refused.stdout())).toMatchObject({
      ok: false,
      error: expect.stringMatching(new RegExp(`^S3_PORT=${port} \\(S3\\) is taken: `)) as unknown,
    });
    expect(existsSync(path.join(folder, 'processes.json'))).toBe(false);
    await new Promise((resolve) => taken.close(resolve));
  });

  test('settings that are wrong are refused together, before anything is started', async () => {
    const folder = await temporaryFolder();
    const wrong = { HOURLY_RATE: 'much', CURRENCY: 'YEN' };
    const refused = launch(['--once', '--json'], { DURABILL_DATA: folder, ...ports, ...wrong });
    expect((await refused.exited).code).toBe(1);
    expect(JSON.parse(refused.stdout())).toMatchObject({
      ok: false,
      error: expect.stringMatching(
        /^the configuration has 2 problems:\n {2}HOURLY_RATE: .*\n {2}CURRENCY: .*$/,
      ) as unknown,
    });
    expect(existsSync(path.join(folder, 'logs'))).toBe(false);
  });

  test('a live Stripe key is refused before anything is touched, and not repeated', async () => {
    const folder = await temporaryFolder();
    const key = 'sk_live_notForHere';
    const refused = launch(['--once', '--json'], { DURABILL_DATA: folder, STRIPE_SECRET_KEY: key });
    expect((await refused.exited).code).toBe(1);
    expect(JSON.parse(refused.stdout())).toMatchObject({
      ok: false,
      error: expect.stringMatching(/^STRIPE_SECRET_KEY is a live key/) as unknown,
    });
    expect(refused.stdout() + refused.stderr()).not.toContain(key);
    expect(existsSync(path.join(folder, 'secrets.json'))).toBe(false);
  });
});
