/** DL16: files that take hours, on a real Temporal server with real workers, and what goes on beside them. */
import { Duplex } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gzipProcessor } from '../../activities/processor.ts';
import { deliveryShard, workflowIds } from '../../domain/ids.ts';
import { previousMonth } from '../../domain/period.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startAs } from '../support/start.ts';
import { startTestTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';

/** Of one worker, for files. */
const fileSlots = 20;
/** More than a worker has slots for in any queue that a delivery needs. */
const jobs = 45;
/** Waits end with their condition; this only bounds a test that hangs. */
const patienceMs = 300_000;
let services: Services;
let temporal: BareTemporal;
let begun = 0;
let openGate: () => void;
const gate = new Promise<void>((resolve) => {
  openGate = resolve;
});

beforeAll(async () => {
  services = await startServices();
  const createStream = (): Duplex => {
    begun += 1;
    return Duplex.from(async function* afterTheGate(source: AsyncIterable<Buffer>) {
      await gate;
      yield* source;
    });
  };
  temporal = await startTestTemporal(services, { processor: { ...gzipProcessor, createStream } });
});
afterAll(async () => {
  openGate();
  await temporal.stop();
  await services.stop();
});

async function record(identifier: string, at: string): Promise<void> {
  const customerId = `cus_${identifier}`;
  await services.control.createCustomer({ id: customerId });
  const source = { kind: 'processing' as const, id: identifier };
  const usage = { identifier, customerId, meter: 'file_processed' as const, quantity: '9' };
  await services.ledger.record({ ...usage, occurredAt: at, source }, at);
}

test(
  'DL16 files that fill every slot hold up no sweep, no sending, no deferral and no month',
  async () => {
    const { client, engine } = temporal;
    await services.control.createCustomer({ id: 'cus_long' });
    await services.putFile('cus_long', 'long.bin', 'x'.repeat(100));
    const ids = Array.from({ length: jobs }, (_, index) => `long-${index}`);
    for (const processingId of ids) {
      const request = { processingId, customerId: 'cus_long', files: ['long.bin'] };
      await engine.startProcessing(request);
    }
    await expect.poll(() => begun, { timeout: patienceMs }).toBeGreaterThanOrEqual(fileSlots);

    const old = new Date(Date.now() - 10 * 60_000).toISOString();
    await record('overdue', old);
    await record('failing', old);
    const where = { identifier: 'failing' };
    const path = '/v1/billing/meter_events';
    await services.control.fault({ kind: 'rate_limit', path, where, retryAfter: 0 });
    await services.control.fault({ kind: 'status', status: 503, path, where, times: 100 });
    const sweeping = { taskQueue, workflowId: 'swept-by-hand' };
    const swept = await (await startAs(client, sweeping, 'sweepUsage', undefined)).result();
    const shards = ['cus_overdue', 'cus_failing'].map((id) => deliveryShard(id, 'file_processed'));
    expect(swept.woken).toEqual([...new Set(shards)].toSorted((one, other) => one - other));
    const stateOf = async (identifier: string) => (await services.ledger.get(identifier))?.state;
    await expect
      .poll(async () => await stateOf('overdue'), { timeout: patienceMs })
      .toBe('delivered');
    const rounds = async () => (await services.ledger.get('failing'))?.rounds;
    await expect.poll(rounds, { timeout: patienceMs }).toBe(1);
    const month = previousMonth(new Date().toISOString().slice(0, 7));
    const workflowId = await engine.startMonth({ month });
    expect(await client.workflow.getHandle(workflowId).result()).toMatchObject({
      month,
      billed: 0,
    });

    expect(await services.processings.get('long-0')).toMatchObject({ status: 'in_progress' });
    expect(begun).toBe(fileSlots);
    openGate();
    await Promise.all(
      ids.map(async (id) => {
        await client.workflow.getHandle(workflowIds.processFiles(id)).result();
      }),
    );
    expect(await services.control.total('cus_long', 'file_processed')).toBe(String(jobs * 100));
  },
  patienceMs,
);
