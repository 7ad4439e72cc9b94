/**
 * Records the histories of all stories, or of those that are named, from real workflows with real activities on a real Temporal
 * server, into a new folder of `test/histories/`. See README.md for when to run it.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { Transform } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { NativeConnection } from '@temporalio/worker';
import { gzipProcessor } from '../../activities/processor.ts';
import type { Processor } from '../../activities/processor.ts';
import { startTemporal } from '../../dev/stack/temporal.ts';
import { alertOf } from '../../domain/alerts.ts';
import { deliveryShard, storageIdentifier, workflowIds } from '../../domain/ids.ts';
import { dayOf, daysOf, previousMonth } from '../../domain/period.ts';
import type { ProcessingProgress } from '../../domain/processing.ts';
import { snapshotOf } from '../../domain/storage.ts';
import { createReceiver } from '../../platform/alert-receiver.ts';
import { ensureSearchAttributes } from '../../platform/temporal-setup.ts';
import { createEngine } from '../../engine/engine.ts';
import { bundleWorkflows } from '../../worker/bundle.ts';
import { createWorkers } from '../../worker/run.ts';
import { queryNames, signalNames } from '../../engine/contract.ts';
import { receiverSecret, startTestReceiver } from '../support/alert-receiver.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { signalAs, startAs } from '../support/start.ts';
import { startServices } from '../support/services.ts';
import { goingOnAt } from '../support/temporal.ts';
import '../support/quiet.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const taskQueue = 'recorded';
/** Far below Temporal's 4,096, so that a history which goes on as new is small enough to keep. */
const goesOnAfterEvents = 60;
const meterEvents = '/v1/billing/meter_events';

const services = await startServices();
const receiver = await startTestReceiver();
const server = await startTemporal({
  dataDir: services.dataDir,
  ...goingOnAt(goesOnAfterEvents),
});
const connection = await Connection.connect({ address: server.address });
const client = new Client({ connection });
const engine = createEngine(client, { taskQueue });
await ensureSearchAttributes(client);
const native = await NativeConnection.connect({ address: server.address });
const slowly = { wanted: false };
const { deps } = createTestDependencies(services, {
  signals: engine,
  processor: slowProcessor(slowly),
  alertReceiver: createReceiver({ url: receiver.url, secrets: [receiverSecret] }),
});
const workers = await createWorkers(
  {
    connection: native,
    namespace: 'default',
    taskQueue,
    workflowBundle: await bundleWorkflows(),
    deliveryRatePerSecond: 1000,
    eventRatePerSecond: 1000,
  },
  deps,
);
const running = Promise.all(workers.map(async (worker) => await worker.run()));
const recorded = new Map<string, string>();

const stories = {
  processed,
  putOff,
  halted,
  wentOnAsNew,
  swept,
  refused,
  measured,
  billed,
  caughtUp,
  poisoned,
  pausedByStripe,
  sweptEvents,
  alerted,
  cast,
  castTooLate,
  repaired,
};
const asked = process.argv.slice(2);

try {
  for (const name of asked) {
    if (name in { cancelled, ...stories }) continue;
    throw new Error(`no story ${name}: ${Object.keys({ cancelled, ...stories }).join(', ')}`);
  }
  const isAsked = (name: string): boolean => asked.length === 0 || asked.includes(name);
  // Alone, for while it runs the processor is slow for everybody.
  if (isAsked('cancelled')) await cancelled();
  const wanted = Object.entries(stories).filter(([name]) => isAsked(name));
  await Promise.all(wanted.map(async ([, story]) => await story()));
  const folder = await nextFolder();
  for (const [name, json] of recorded) await writeFile(path.join(folder, `${name}.json`), json);
  process.stdout.write(`${recorded.size} histories in ${path.relative('.', folder)}\n`);
} finally {
  for (const worker of workers) worker.shutdown();
  await running;
  await native.close();
  await connection.close();
  await server.stop();
  await receiver.stop();
  await services.stop();
}

/** Shard 0: jobs that succeed, one that has nothing to bill, one that names a missing file. */
async function processed(): Promise<void> {
  const customerId = await customer('plain', 0);
  const files = await filesOf(customerId, 3);
  await processAs('success', customerId, files);
  await save('deliverUsage.success', workflowIds.deliverUsage(0));
  const many = await filesOf(customerId, 130);
  await processAs('many-chunks', customerId, many);
  await services.putFile(customerId, 'empty', '');
  await processAs('zero-bytes', customerId, ['empty']);
  await processAs('missing-file', customerId, [...many, 'absent']);
}

/** A job cancelled while its chunk is read. */
async function cancelled(): Promise<void> {
  const customerId = await customer('cancelled', 0);
  await services.putFile(customerId, 'large.bin', Buffer.alloc(30_000_000));
  slowly.wanted = true;
  const request = { processingId: 'cancelled', customerId, files: ['large.bin'] };
  const { workflowId } = await engine.startProcessing(request);
  const handle = client.workflow.getHandle(workflowId);
  await until('the chunk is being read', async () => {
    const { step } = await handle.query<ProcessingProgress>(queryNames.progress);
    const { raw } = await handle.describe();
    const started = (raw.pendingActivities ?? []).some((activity) => activity.attempt === 1);
    return step === 'processing' && started;
  });
  await handle.cancel();
  await ended(workflowId);
  slowly.wanted = false;
  await save('processFiles.cancelled', workflowId);
}

/** Shard 1: Stripe fails to the end of the retries; the job ends, and the delivery comes a minute later. */
async function putOff(): Promise<void> {
  const customerId = await customer('put', 1);
  const where = { identifier: 'put-off' };
  await services.control.fault({ kind: 'status', path: meterEvents, where, times: 4 });
  await processAs('put-off', customerId, await filesOf(customerId, 1));
  await ended(workflowIds.deliverUsage(1));
  await save('deliverUsage.put-off-then-delivered', workflowIds.deliverUsage(1));
}

/** Shard 2: Stripe refuses our key; after five minutes one record goes first and the other follows. */
async function halted(): Promise<void> {
  const message = 'Invalid API Key provided';
  for (const name of ['halted-a', 'halted-b']) {
    const where = { identifier: name };
    await services.control.fault({ kind: 'error', status: 401, message, path: meterEvents, where });
  }
  const jobs = ['halted-a', 'halted-b'].map(async (name) => {
    const customerId = await customer(name.replace('-', ''), 2);
    const files = await filesOf(customerId, 1);
    await engine.startProcessing({ processingId: name, customerId, files });
    await ended(workflowIds.processFiles(name));
  });
  await Promise.all(jobs);
  await ended(workflowIds.deliverUsage(2));
  await save('deliverUsage.halted-then-delivered', workflowIds.deliverUsage(2));
}

/** Shard 3: more records than one run takes. */
async function wentOnAsNew(): Promise<void> {
  const customers = await Promise.all(
    Array.from({ length: 5 }, async (_, index) => await customer(`flood${index}x`, 3)),
  );
  const at = new Date().toISOString();
  for (let index = 0; index < 40; index += 1) {
    await recordUsage(`flood-${index}`, customers[index % customers.length] ?? '', at);
  }
  const run = { taskQueue, workflowId: workflowIds.deliverUsage(3) };
  const sweep = [signalNames.sweep] as [typeof signalNames.sweep];
  const handle = await signalAs(client, run, 'deliverUsage', { shard: 3 }, sweep);
  await ended(handle.workflowId);
  await save('deliverUsage.went-on-as-new', handle.workflowId, handle.signaledRunId);
  await save('deliverUsage.came-from-another-run', handle.workflowId);
}

/** Shard 4: a record that everybody forgot. */
async function swept(): Promise<void> {
  const customerId = await customer('forgotten', 4);
  await recordUsage('forgotten', customerId, new Date(Date.now() - 600_000).toISOString());
  const workflowId = 'sweep-usage-recorded';
  await startAs(client, { taskQueue, workflowId }, 'sweepUsage', undefined);
  await ended(workflowId);
  await save('sweepUsage.success', workflowId);
  await ended(workflowIds.deliverUsage(4));
  await save('deliverUsage.swept', workflowIds.deliverUsage(4));
}

/** Shard 5: Stripe does not know the customer. */
async function refused(): Promise<void> {
  const customerId = nameInShard('unknown', 5);
  await processAs('unknown-customer', customerId, await filesOf(customerId, 1));
  await ended(workflowIds.deliverUsage(5));
  await save('deliverUsage.refused', workflowIds.deliverUsage(5));
}

/** A day of storage of three customers, started by hand. */
async function measured(): Promise<void> {
  for (const name of ['full', 'empty', 'other']) {
    const customerId = `cus_stored${name}`;
    const createdAt = new Date().toISOString();
    await services.customers.add({ customerId, plan: 'free', billingStatus: 'none', createdAt });
    if (name !== 'empty') await filesOf(customerId, 2);
  }
  const workflowId = await engine.startDay({ day: dayOf(Date.now()) });
  await ended(workflowId);
  await save('aggregateStorage.success', workflowId);
}

/** Last month of forty customers: the window goes on as new; one bill is put off and so fails. */
async function billed(): Promise<void> {
  const month = previousMonth(dayOf(Date.now()));
  const nothing = { bytes: 0n, files: 0 };
  for (let index = 0; index < 40; index += 1) {
    const customerId = `cus_billed${index}`;
    await services.control.createCustomer({ id: customerId });
    for (const date of daysOf(month).slice(-3)) {
      const stored = { bytes: BigInt(1000 + index), files: 1 };
      await services.storageDaily.put(
        snapshotOf(customerId, date, stored, nothing),
        `${date}T01:00`,
      );
    }
  }
  const where = { identifier: storageIdentifier('cus_billed7', month) };
  await services.control.fault({ kind: 'status', path: meterEvents, where, times: 4 });
  const workflowId = await engine.startMonth({ month });
  const { runId } = await client.workflow.getHandle(workflowId).describe();
  await ended(workflowId);
  await save('billStorage.went-on-as-new', workflowId, runId);
  await save('billStorage.came-from-another-run', workflowId);
  const child = (index: number) => workflowIds.billCustomerStorage(`cus_billed${index}`, month);
  await save('billCustomerStorage.success', child(3));
  await save('billCustomerStorage.put-off', child(7));
}

/** Events that nobody took, fetched: more of one customer than one run applies. */
async function caughtUp(): Promise<void> {
  const { control, stripe } = services;
  await control.configureWebhooks({ paused: true });
  await control.addWebhook({ url: 'http://127.0.0.1:9/', secret: 'whsec_nobody' });
  const line = 'cus_events';
  await control.createCustomer({ id: line });
  const { id: product } = await stripe.products.create({ name: 'Seat' });
  const [meter] = (await stripe.billing.meters.list({ status: 'active' })).data;
  const usage = { usage_type: 'metered' as const, meter: meter?.id ?? '' };
  const recurring = { interval: 'month' as const, ...usage };
  const price = { product, currency: 'usd', unit_amount: 5, recurring };
  const { id } = await stripe.prices.create(price);
  const subscription = await stripe.subscriptions.create({
    customer: line,
    items: [{ price: id }],
  });
  for (let index = 0; index < 40; index += 1) {
    const cancel_at_period_end = index % 2 === 0;
    await stripe.subscriptions.update(subscription.id, { cancel_at_period_end });
  }
  const workflowId = await engine.startCatchUp(undefined);
  await ended(workflowId);
  await save('catchUpWebhooks.success', workflowId);
  const { raw } = await client.workflow.getHandle(workflowIds.customer(line)).describe();
  const { firstRunId } = raw.workflowExecutionInfo ?? {};
  await ended(workflowIds.customer(line));
  await save('customer.went-on-as-new', workflowIds.customer(line), firstRunId ?? '');
  await save('customer.came-from-another-run', workflowIds.customer(line));
}

/** An event that names an invoice which is not there: three tries, then the dead letter. */
async function poisoned(): Promise<void> {
  const [eventId, line] = ['evt_poison', 'cus_poison'];
  const createdAt = new Date().toISOString();
  const facts = { eventId, type: 'invoice.paid', createdAt, livemode: false, thin: false };
  const named = { ...facts, objectId: 'in_missing', customerId: line };
  await services.webhookEvents.put(named, 'received', undefined);
  await engine.announceEvent(line, eventId);
  await ended(workflowIds.customer(line));
  await save('customer.poison', workflowIds.customer(line));
}

/** Stripe is away for three tasks: the line pauses, which is no try of the event, and goes on. */
async function pausedByStripe(): Promise<void> {
  const [eventId, line] = ['evt_paused', 'cus_paused'];
  await services.control.createCustomer({ id: line });
  const asked = `/v1/customers/${line}`;
  await services.control.fault({ kind: 'status', path: asked, status: 503, times: 3 });
  await receiveCustomerEvent(eventId, line);
  await engine.announceEvent(line, eventId);
  await ended(workflowIds.customer(line));
  await save('customer.paused', workflowIds.customer(line));
}

/** A sweep that finds nothing to tell. */
async function sweptEvents(): Promise<void> {
  const workflowId = 'sweep-webhooks-recorded';
  await startAs(client, { taskQueue, workflowId }, 'sweepWebhooks', undefined);
  await ended(workflowId);
  await save('sweepWebhooks.success', workflowId);
}

/** Alerts that nobody announced: found by a sweep, more than one run sends, one of them refused and one given up. */
async function alerted(): Promise<void> {
  const line = 'cus_alerted';
  const minuteMs = 60_000;
  for (let index = 0; index < 16; index += 1) {
    const raisedAt = new Date(Date.now() - (20 - index) * 5 * minuteMs);
    const raised = { kind: 'payment_failed' as const, customerId: line, facts: {} };
    await services.alerts.put(alertOf(raised, raisedAt));
  }
  const statuses = [204, 503, 204, 410];
  receiver.answer = (response) => response.writeHead(statuses.shift() ?? 204).end();
  const workflowId = 'sweep-alerts-recorded';
  await startAs(client, { taskQueue, workflowId }, 'sweepAlerts', undefined);
  await ended(workflowId);
  await save('sweepAlerts.success', workflowId);
  const { raw } = await client.workflow.getHandle(workflowIds.sendAlerts(line)).describe();
  const { firstRunId } = raw.workflowExecutionInfo ?? {};
  await ended(workflowIds.sendAlerts(line));
  await save('sendAlerts.went-on-as-new', workflowIds.sendAlerts(line), firstRunId ?? '');
  await save('sendAlerts.came-from-another-run', workflowIds.sendAlerts(line));
}

/** A cast that runs, and one whose workflow begins after its reservation has lapsed. */
async function cast(): Promise<void> {
  await castAs('cast', new Date());
}

async function castTooLate(): Promise<void> {
  await castAs('cast-too-late', new Date(Date.now() - 10 * 60_000));
}

async function castAs(name: string, at: Date): Promise<void> {
  const customerId = await customer(name.replaceAll('-', ''), 0);
  const files = await filesOf(customerId, 1);
  const set = {
    period: dayOf(at.getTime()).slice(0, 7),
    cents: 5,
    at: at.toISOString(),
    token: name,
  };
  const price = { centsPerCast: 5, centsPerByte: '0' };
  await engine.startProcessing({ processingId: name, customerId, files, cast: { ...set, price } });
  await ended(workflowIds.processFiles(name));
  await save(`processFiles.${name}`, workflowIds.processFiles(name));
}

/** A repair of what was set aside for a cast that never began. */
async function repaired(): Promise<void> {
  const [customerId, at] = [await customer('repaired', 0), new Date(Date.now() - 10 * 60_000)];
  const reservation = {
    customerId,
    period: dayOf(Date.now()).slice(0, 7),
    reservationId: 'never',
    token: 'never',
    cents: 5,
  };
  await deps.spending.reserve(reservation, { at: at.toISOString(), digest: 'none' }, true);
  const workflowId = 'repair-reservations-recorded';
  await startAs(client, { taskQueue, workflowId }, 'repairReservations', undefined);
  await ended(workflowId);
  await save('repairReservations.success', workflowId);
}

async function receiveCustomerEvent(eventId: string, customerId: string): Promise<void> {
  const createdAt = new Date().toISOString();
  const facts = { eventId, type: 'customer.updated', createdAt, livemode: false, thin: false };
  await services.webhookEvents.put(
    { ...facts, objectId: customerId, customerId },
    'received',
    undefined,
  );
}

async function processAs(processingId: string, customerId: string, files: string[]): Promise<void> {
  await engine.startProcessing({ processingId, customerId, files });
  const workflowId = workflowIds.processFiles(processingId);
  await ended(workflowId);
  await save(`processFiles.${processingId}`, workflowId);
}

function nameInShard(name: string, shard: number): string {
  for (let number = 0; ; number += 1) {
    const customerId = `cus_${name}${number}`;
    if (deliveryShard(customerId, 'file_processed') === shard) return customerId;
  }
}

async function customer(name: string, shard: number): Promise<string> {
  const customerId = nameInShard(name, shard);
  await services.control.createCustomer({ id: customerId });
  return customerId;
}

async function filesOf(customerId: string, count: number): Promise<string[]> {
  const files = Array.from({ length: count }, (_, index) => `file-${index}`);
  for (const file of files) await services.putFile(customerId, file, file);
  return files;
}

async function recordUsage(identifier: string, customerId: string, at: string): Promise<void> {
  const source = { kind: 'processing' as const, id: identifier };
  const usage = { identifier, customerId, meter: 'file_processed' as const, quantity: '7' };
  await services.ledger.record({ ...usage, occurredAt: at, source }, at);
}

/** However it ends: some of the stories fail, and that is what is recorded. */
async function ended(workflowId: string): Promise<void> {
  process.stderr.write(`waiting for ${workflowId}\n`);
  try {
    await client.workflow.getHandle(workflowId).result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not in 30 s: ${what}`);
    await delay(100);
  }
}

async function save(name: string, workflowId: string, runId?: string): Promise<void> {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const parsed = JSON.parse(historyToJSON(history)) as { events: unknown[] };
  const events = parsed.events.map((event) => JSON.stringify(event, withoutMachine));
  recorded.set(name, `{"events":[\n${events.join(',\n')}\n]}\n`);
}

/** Who ran it and where its code lay is nobody's business; the replay does not look at it. */
function withoutMachine(key: string, value: unknown): unknown {
  if (key === 'stackTrace') return '';
  if (key === 'identity') return 'recorded';
  return typeof value === 'string' ? value.replaceAll(hostname(), 'machine') : value;
}

/** Never into a folder that is there: what was shipped once may still be running somewhere. */
async function nextFolder(): Promise<string> {
  const numbers = (await readdir(here)).map(Number).filter((number) => !Number.isNaN(number));
  const folder = path.join(here, String(Math.max(0, ...numbers) + 1));
  await mkdir(folder);
  return folder;
}

/** The real one, or, when asked, one that lets a chunk of bytes through every 200 ms. */
function slowProcessor(when: { wanted: boolean }): Processor {
  const createSlow = (): Transform =>
    new Transform({
      transform: (chunk, _encoding, done) => {
        setTimeout(done, 200, null, chunk);
      },
    });
  return {
    ...gzipProcessor,
    createStream: () => (when.wanted ? createSlow() : gzipProcessor.createStream()),
  };
}
