import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deliveryShard, workflowIds } from '../../domain/ids.ts';
import type { ProcessingOutcome, ProcessingRequest } from '../../domain/processing.ts';
import { schedules } from '../../domain/schedules.ts';
import { signalNames } from '../../engine/contract.ts';
import type { WorkflowOf } from '../../engine/contract.ts';
import { applySchedules } from '../../platform/schedules.ts';
import { signalAs } from '../support/start.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startTestTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';

let services: Services;
let temporal: BareTemporal;
beforeAll(async () => {
  services = await startServices();
  // A quarter of what a run may have: the flood below is met with a quarter of its records.
  temporal = await startTestTemporal(services, {}, { suggestedAt: 1000 });
});
afterAll(async () => {
  await temporal.stop();
  await services.stop();
});

type Story = WorkflowOf<'processFiles'>;
type Handle = WorkflowHandle<Story>;
const handleOf = (processingId: string): Handle =>
  temporal.client.workflow.getHandle<Story>(workflowIds.processFiles(processingId));

/** A customer whom the double knows, with files of these sizes. */
async function customerWith(customerId: string, sizes: readonly number[]): Promise<string[]> {
  await services.control.createCustomer({ id: customerId });
  const files = sizes.map((_, index) => `file-${index}.bin`);
  for (const [index, file] of files.entries()) {
    await services.putFile(customerId, file, Buffer.alloc(sizes[index] ?? 0, index + 1));
  }
  return files;
}

async function run(request: ProcessingRequest): Promise<ProcessingOutcome> {
  await temporal.engine.startProcessing(request);
  return await handleOf(request.processingId).result();
}

const eventsOf = async (identifier: string) => await services.control.events({ identifier });

describe('scenarios of page 1 on the real server', () => {
  test('one file of 1,024 bytes: meter event 1024, completed', async () => {
    const files = await customerWith('cus_one', [1024]);
    const outcome = await run({ processingId: 'one', customerId: 'cus_one', files });
    expect(outcome).toMatchObject({ totalBytes: 1024, delivery: 'delivered' });
    expect((await eventsOf('one')).map((event) => event.value)).toEqual(['1024']);
    expect((await services.processings.get('one'))?.status).toBe('completed');
  });

  test('three files, 5,120 bytes: one meter event of 5120', async () => {
    const files = await customerWith('cus_three', [1024, 2048, 2048]);
    await run({ processingId: 'three', customerId: 'cus_three', files });
    expect((await eventsOf('three')).map((event) => event.value)).toEqual(['5120']);
  });

  test('FM7 unknown customer: completed, rejected, a dead letter, nothing at Stripe', async () => {
    await services.putFile('cus_nobody', 'file.bin', 'x');
    const request = { processingId: 'nobody', customerId: 'cus_nobody', files: ['file.bin'] };
    expect(await run(request)).toMatchObject({ status: 'completed', delivery: 'rejected' });
    expect(await services.processings.get('nobody')).toMatchObject({ status: 'completed' });
    expect(await services.deadLetters.get('usage-rejected/nobody')).toMatchObject({
      status: 'open',
    });
    expect(await eventsOf('nobody')).toEqual([]);
  });

  test('FM1 the same job submitted twenty times at once: one processing, one meter event', async () => {
    const files = await customerWith('cus_twice', [100]);
    const request = { processingId: 'twice', customerId: 'cus_twice', files };
    const starts = await Promise.all(
      Array.from({ length: 20 }, async () => await temporal.engine.startProcessing(request)),
    );
    expect(starts.filter(({ started }) => started)).toHaveLength(1);
    await handleOf('twice').result();
    const again = await temporal.engine.startProcessing(request);
    expect(again.started).toBe(false);
    expect(await eventsOf('twice')).toHaveLength(1);
  });

  test('FM3 a missing file: failed with its key, no output, nothing metered', async () => {
    const files = await customerWith('cus_gap', [10, 10, 10]);
    const request = { processingId: 'gap', customerId: 'cus_gap', files: [...files, 'absent'] };
    await expect(run(request)).rejects.toThrow('Workflow execution failed');
    expect(await services.processings.get('gap')).toMatchObject({
      status: 'failed',
      errorMessage: 'service/input/cus_gap/absent does not exist',
    });
    expect(await services.ledger.get('gap')).toBeUndefined();
    expect(await services.control.total('cus_gap', 'file_processed')).toBe('0');
  });

  test('FM12 DL4 a hundred jobs of one customer: all delivered, one call at a time', async () => {
    const files = await customerWith('cus_many', [7]);
    const ids = Array.from({ length: 100 }, (_, index) => `many-${index}`);
    await Promise.all(
      ids.map(async (processingId) => await run({ processingId, customerId: 'cus_many', files })),
    );
    expect(await services.control.total('cus_many', 'file_processed')).toBe('700');
    const { maxConcurrent } = await services.control.state();
    expect(maxConcurrent.every((lane) => lane.maxConcurrent === 1)).toBe(true);
  });

  test('the search attributes find the jobs of a customer', async () => {
    const found: string[] = [];
    const query = `CustomerId = 'cus_three' AND TotalBytes = 5120 AND FileCount = 3`;
    await expect
      .poll(async () => {
        found.length = 0;
        for await (const workflow of temporal.client.workflow.list({ query })) {
          found.push(workflow.workflowId);
        }
        return found;
      })
      .toEqual(['process-files/three']);
  });
});

describe('deliverUsage on the real server', () => {
  test('DL5 a flood of 400 records goes over into new runs and loses none', async () => {
    const shard = 3;
    const customers = Array.from({ length: 400 }, (_, index) => `cus_flood${index}`)
      .filter((customerId) => deliveryShard(customerId, 'file_processed') === shard)
      .slice(0, 20);
    const at = new Date().toISOString();
    for (const id of customers) await services.control.createCustomer({ id });
    for (let index = 0; index < 400; index += 1) {
      const identifier = `flood-${index}`;
      const source = { kind: 'processing' as const, id: identifier };
      const customerId = customers[index % customers.length] ?? '';
      const usage = { identifier, customerId, meter: 'file_processed' as const, quantity: '1' };
      await services.ledger.record({ ...usage, occurredAt: at, source }, at);
    }
    const started = { taskQueue, workflowId: workflowIds.deliverUsage(shard) };
    const sweep = [signalNames.sweep] as [typeof signalNames.sweep];
    const handle = await signalAs(temporal.client, started, 'deliverUsage', { shard }, sweep);
    expect(await handle.result()).toEqual({ delivered: 400, laidAside: 0, putOff: 0 });
    const last = await temporal.client.workflow
      .getHandle(workflowIds.deliverUsage(shard))
      .describe();
    expect(last.runId).not.toBe(handle.signaledRunId);
    const totals = await Promise.all(
      customers.map(async (id) => await services.control.total(id, 'file_processed')),
    );
    expect(totals.reduce((sum, total) => sum + Number(total), 0)).toBe(400);
    expect(await services.ledger.undelivered(shard, 10)).toEqual({
      waiting: [],
      unreadable: [],
    });
  });

  test('DL5 a record announced while its shard is ending is not lost', async () => {
    const customerId = 'cus_race';
    const files = await customerWith(customerId, [3]);
    const ids = Array.from({ length: 40 }, (_, index) => `race-${index}`);
    // One after the other: each finds its shard just ending, or ended.
    for (const processingId of ids) await run({ processingId, customerId, files });
    expect(await services.control.total(customerId, 'file_processed')).toBe('120');
  });

  test('DL5 the schedule is applied twice without a difference, and sweeps what was forgotten', async () => {
    const outcomes = async () =>
      (await applySchedules(temporal.client, taskQueue)).map(({ outcome }) => outcome);
    expect(await outcomes()).toEqual(schedules.map(() => 'created'));
    expect(await outcomes()).toEqual(schedules.map(() => 'updated'));
    const handle = temporal.client.schedule.getHandle('sweep-usage');
    const { spec, policies } = await handle.describe();
    expect(spec.calendars ?? []).toHaveLength(1);
    expect(policies.overlap).toBe('SKIP');
    const customerId = 'cus_forgotten';
    await services.control.createCustomer({ id: customerId });
    const old = new Date(Date.now() - 10 * 60_000).toISOString();
    const source = { kind: 'processing' as const, id: 'forgotten' };
    const usage = { identifier: 'forgotten', customerId, meter: 'file_processed' as const };
    await services.ledger.record({ ...usage, quantity: '9', occurredAt: old, source }, old);
    await handle.trigger();
    await expect
      .poll(async () => (await services.ledger.get('forgotten'))?.state, { timeout: 300_000 })
      .toBe('delivered');
    expect(await services.control.total(customerId, 'file_processed')).toBe('9');
  });
});
