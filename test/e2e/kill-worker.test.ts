/**
 * The worker is killed (SIGKILL) at every point around the Stripe call, and around every write of a
 * job's completion. One kill meets all jobs at once, each held at a point of its own; the next worker
 * must end each of them with exactly one meter event.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorker } from '../../dev/stack/worker.ts';
import { workflowIds } from '../../domain/ids.ts';
import { createEngine } from '../../engine/engine.ts';
import { startGate } from '../support/gate.ts';
import type { Gate } from '../support/gate.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startBareTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';

let services: Services;
let temporal: BareTemporal;
let gate: Gate;
beforeAll(async () => {
  services = await startServices();
  temporal = await startBareTemporal(services);
  gate = await startGate(services.env['DYNAMODB_ENDPOINT'] ?? '');
});
afterAll(async () => {
  await gate.stop();
  await temporal.stop();
  await services.stop();
});

/** A table request of the worker: its operation, its table, and words that only this step writes. */
const tableStep = (operation: string, table: string, words: string) => (id: string) => ({
  matches: (request: string) =>
    request.includes(`DynamoDB_20120810.${operation}`) &&
    request.includes(table) &&
    request.includes(`"${id}"`) &&
    request.includes(words),
});
const tableSteps = {
  'the row is begun': tableStep('PutItem', 'processing-history', 'in_progress'),
  'the row is completed': tableStep('UpdateItem', 'processing-history', '"completed"'),
  'the usage is recorded': tableStep('PutItem', 'usage-ledger', 'recorded'),
  'the record is claimed': tableStep('UpdateItem', 'usage-ledger', '"sending"'),
  'the delivery is recorded': tableStep('UpdateItem', 'usage-ledger', '"delivered"'),
};
const stripeSteps = {
  'Stripe is called': 'hang_before',
  'Stripe applied it': 'hang_after',
} as const;

const customerOf = (id: string): string => `cus_${id.replaceAll('-', '_')}`;

async function spawnWorker() {
  return await startWorker({
    dataDir: services.dataDir,
    env: {
      ...services.env,
      DYNAMODB_ENDPOINT: gate.url,
      TEMPORAL_ADDRESS: temporal.server.address,
      TASK_QUEUE: taskQueue,
    },
  });
}

test('DL2 I1 I3 SIGKILL of the worker at every point: one meter event each', async () => {
  const jobs: string[] = [];
  const addJob = async (name: string): Promise<string> => {
    const id = `kill-${name.replaceAll(' ', '-')}`;
    const customerId = customerOf(id);
    await services.control.createCustomer({ id: customerId });
    await services.putFile(customerId, 'file.bin', Buffer.alloc(1024, 7));
    jobs.push(id);
    return id;
  };
  for (const [name, step] of Object.entries(tableSteps)) {
    for (const when of ['before', 'after'] as const) {
      gate.hold({ ...step(await addJob(`${when} ${name}`)), when });
    }
  }
  for (const [name, kind] of Object.entries(stripeSteps)) {
    const identifier = await addJob(name);
    const path = '/v1/billing/meter_events';
    await services.control.fault({ kind, path, where: { identifier } });
  }

  const first = await spawnWorker();
  for (const id of jobs) {
    const request = { processingId: id, customerId: customerOf(id), files: ['file.bin'] };
    await createEngine(temporal.client, { taskQueue }).startProcessing(request);
  }
  await gate.waitForHeld(Object.keys(tableSteps).length * 2);
  await services.control.waitForHanging(Object.keys(stripeSteps).length);
  process.kill(first.pid, 'SIGKILL');
  await first.exited;
  gate.open();
  await services.control.clearFaults();
  await services.control.releaseHanging();

  const second = await spawnWorker();
  for (const id of jobs) {
    const handle = temporal.client.workflow.getHandle(workflowIds.processFiles(id));
    expect(await handle.result()).toMatchObject({ totalBytes: 1024, delivery: 'delivered' });
  }
  await second.stop();

  for (const id of jobs) {
    const events = await services.control.events({ identifier: id });
    expect({ id, values: events.map((event) => event.value) }).toEqual({ id, values: ['1024'] });
    const { status, totalBytes } = (await services.processings.get(id)) ?? {};
    expect({ id, status, totalBytes }).toEqual({ id, status: 'completed', totalBytes: 1024 });
    const record = await services.ledger.get(id);
    expect({ id, state: record?.state, quantity: record?.quantity }).toEqual({
      id,
      state: 'delivered',
      quantity: '1024',
    });
  }
});
