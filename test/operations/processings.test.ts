import { expect, test } from 'vitest';
import type { ProcessingRequest } from '../../domain/processing.ts';
import { submitOnce } from '../../operations/processings.ts';
import type { SubmitDependencies } from '../../operations/processings.ts';
import { digestFiles } from '../../platform/files-digest.ts';

const order: ProcessingRequest = { processingId: 'job', customerId: 'cus_1', files: ['a', 'b'] };
const at = '2026-11-21T10:00:00.000Z';

/** `row`: what the table has. `before`: what a workflow that has written none was started with. */
function world(
  row?: { status: 'in_progress' | 'completed'; files?: string[]; customerId?: string },
  before?: ProcessingRequest,
) {
  const starts: string[] = [];
  const deps: SubmitDependencies = {
    processings: {
      get: async (processingId) => {
        if (row === undefined) return await Promise.resolve(undefined);
        const { status, files = order.files, customerId = 'cus_1' } = row;
        const times = { createdAt: at, updatedAt: at };
        const filesDigest = digestFiles(files);
        return { processingId, customerId, status, fileCount: 2, filesDigest, ...times };
      },
    },
    engine: async () =>
      await Promise.resolve({
        startProcessing: async ({ processingId }) => {
          starts.push(processingId);
          return await Promise.resolve({ workflowId: 'w', started: before === undefined });
        },
        readStartedRequest: async () => await Promise.resolve(before),
      }),
  };
  return { deps, starts };
}

test('FM1 a new job is started; one that runs already is the same job', async () => {
  const fresh = world();
  expect(await submitOnce(fresh.deps, order)).toBe(true);
  expect(await submitOnce(world(undefined, order).deps, order)).toBe(false);
  expect(await submitOnce(world({ status: 'in_progress' }).deps, order)).toBe(false);
  expect(fresh.starts).toEqual(['job']);
});

test('FM1 one that has ended is never started again, though Temporal has forgotten it', async () => {
  const { deps, starts } = world({ status: 'completed' });
  expect(await submitOnce(deps, order)).toBe(false);
  expect(starts).toEqual([]);
});

test.each([
  ['its row has other files', world({ status: 'completed', files: ['b', 'a'] })],
  ['its row has another customer', world({ status: 'in_progress', customerId: 'cus_2' })],
  ['its workflow was started with other files', world(undefined, { ...order, files: ['a'] })],
  ['its workflow is of another customer', world(undefined, { ...order, customerId: 'cus_2' })],
])('FM1 the id is taken by another job: %s', async (_what, { deps }) => {
  await expect(submitOnce(deps, order)).rejects.toMatchObject({ code: 'conflict' });
});
