import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import { snapshotOf } from '../../domain/storage.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

const month = '2026-02';
const now = () => new Date('2026-03-01T02:30:00.000Z');
let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(async () => {
  await services.stop();
});

async function store(customerId: string, days: readonly number[]): Promise<void> {
  for (const day of days) {
    const date = `${month}-${String(day).padStart(2, '0')}`;
    const files = { bytes: 100n, files: 1 };
    const snapshot = snapshotOf(customerId, date, files, { bytes: 0n, files: 0 });
    await services.storageDaily.put(snapshot, `${date}T01:00:00.000Z`);
  }
}

test('SB16 missing days are in the notes and in the metric; a bill that is prepared again adds none', async () => {
  const { deps } = createTestDependencies(services, { now });
  const { prepareBill } = createActivities(deps);
  const counted = async () => {
    const line = /^durabill_storage_missing_days_total (\d+)$/m;
    return Number(line.exec(await deps.metrics.registry.metrics())?.[1]);
  };
  const notes = async (customerId: string) =>
    (await services.storageMonthly.get(customerId, month))?.notes;
  await store('cus_gaps', [10, 12, 13, 27, 28]);
  await store('cus_whole', [26, 27, 28]);
  await store('cus_ended', [1]);
  expect(await counted()).toBe(0);
  await prepareBill({ customerId: 'cus_whole', month, runId: 'run' });
  expect([await counted(), await notes('cus_whole')]).toEqual([0, undefined]);
  await prepareBill({ customerId: 'cus_gaps', month, runId: 'run' });
  // The 11th, and the 14th to the 26th; what was before the first row is not missing.
  expect([await counted(), await notes('cus_gaps')]).toEqual([
    14,
    expect.stringMatching(/^no snapshot on 14 day\(s\): 2026-02-11, 2026-02-14, .*2026-02-26$/),
  ]);
  await prepareBill({ customerId: 'cus_gaps', month, runId: 'run' });
  expect(await counted()).toBe(14);
  await prepareBill({ customerId: 'cus_ended', month, runId: 'run' });
  expect(await counted()).toBe(14 + 27);
});
