import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { taskQueue, withTimeSkipping } from '../support/time-skipping.ts';

const processingId = 'job';
const customerId = 'cus_1';
const files = ['a'];

/** Whoever has the Temporal CLI may start a workflow with anything. */
const hostile: [workflow: string, input: unknown, why: string][] = [
  ['processFiles', { processingId, customerId, files: ['../cus_2/b'] }, 'leaves service/input/'],
  ['processFiles', { processingId, customerId, files: [] }, 'the list of files is empty'],
  ['processFiles', { processingId, customerId, files: 'a' }, 'files is not a list of names'],
  ['processFiles', { processingId, customerId, files: ['a', 5] }, 'files is not a list of names'],
  ['processFiles', { processingId, customerId }, 'files is not a list of names'],
  ['processFiles', { customerId, files }, 'processingId is not a text'],
  ['processFiles', { processingId: '.', customerId, files }, '"." is not a processing id'],
  ['processFiles', { processingId, customerId: 7, files }, 'customerId is not a text'],
  ['processFiles', { processingId, customerId: '7', files }, '"7" is not a Stripe customer id'],
  ['processFiles', null, 'processingId is not a text'],
  ['processFiles', 'job', 'processingId is not a text'],
  ['aggregateStorage', { day: '2026-02-30' }, '"2026-02-30" is not a day'],
  ['aggregateStorage', { day: 5 }, 'another shape than it takes'],
  ['aggregateStorage', null, 'another shape than it takes'],
  ['billStorage', { month: '2026-13' }, '"2026-13" is not a month'],
  ['billStorage', { month: 5 }, 'another shape than it takes'],
  ['billStorage', null, 'another shape than it takes'],
];

describe('an input that no workflow takes', () => {
  test('I8 ends the run at once, for good and in words; its task never fails', async () => {
    await withTimeSkipping({}, async (env) => {
      const ends = hostile.map(async ([workflow, input, why], index) => {
        const run = { taskQueue, workflowId: `hostile/${index}`, args: [input] };
        const handle = await env.client.workflow.start(workflow, run);
        const { type, message } = await firstSign(handle);
        return [workflow, type, message.includes(why) ? why : message];
      });
      expect(await Promise.all(ends)).toEqual(
        hostile.map(([workflow, , why]) => [workflow, 'Refused', why]),
      );
    });
  });
});

/** What the run failed as; or that its task did, which would be tried again for ever. */
async function firstSign(handle: WorkflowHandle): Promise<{ type: string; message: string }> {
  for (;;) {
    const { events } = await handle.fetchHistory();
    for (const event of events ?? []) {
      const ended = event.workflowExecutionFailedEventAttributes?.failure;
      const stuck = event.workflowTaskFailedEventAttributes?.failure;
      if (stuck) return { type: 'a failed task', message: stuck.message ?? '' };
      if (ended) {
        return { type: ended.applicationFailureInfo?.type ?? '', message: ended.message ?? '' };
      }
    }
  }
}
