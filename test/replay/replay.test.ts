/** Workflows that were started under an earlier shape of the code must go on under today's. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DefaultLogger, Worker, bundleWorkflowCode } from '@temporalio/worker';
import type { ReplayResult, WorkflowBundleOption } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { workflowTypes } from '../../domain/temporal-names.ts';
import * as workflows from '../../workflows/index.ts';
import { payloadsOf, readStoredHistories } from './stored-histories.ts';

const checkout = path.join(import.meta.dirname, '../..');
const stored = readStoredHistories();
const today = (): WorkflowBundleOption => ({ codePath: inject('workflowBundle') });

/** What the replay of each stored history ended in, by its name. */
async function replayAll(workflowBundle: WorkflowBundleOption): Promise<Map<string, ReplayResult>> {
  const histories = stored.map(({ name, history }) => ({ workflowId: name, history }));
  const results = new Map<string, ReplayResult>();
  for await (const result of Worker.runReplayHistories({ workflowBundle }, histories)) {
    results.set(result.workflowId, result);
  }
  return results;
}

/** Today's workflows, each with one more timer at its beginning. */
async function bundleWithOneMoreTimer(): Promise<WorkflowBundleOption> {
  const folder = await mkdtemp(path.join(tmpdir(), 'durabill-replay-'));
  onTestFinished(async () => {
    await rm(folder, { recursive: true, force: true });
  });
  await mkdir(path.join(folder, 'workflows'));
  await symlink(path.join(checkout, 'node_modules'), path.join(folder, 'node_modules'));
  const planted = Object.keys(workflows).map(
    (name) =>
      `export async function ${name}(input) { await sleep(1); return await today.${name}(input); }`,
  );
  const source = [
    `import { sleep } from '@temporalio/workflow';`,
    `import * as today from ${JSON.stringify(path.join(checkout, 'workflows/index.ts'))};`,
    ...planted,
  ];
  const workflowsPath = path.join(folder, 'workflows/index.js');
  await writeFile(workflowsPath, source.join('\n'));
  return await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
}

describe('replay of the stored histories', () => {
  test('every workflow type has one at least', () => {
    const missing = Object.keys(workflows).filter((type) =>
      stored.every(({ workflowType }) => workflowType !== type),
    );
    expect(missing).toEqual([]);
    expect(Object.keys(workflows).toSorted()).toEqual(Object.values(workflowTypes).toSorted());
  });

  test('every story is there, in one shape or another', () => {
    const stories = new Set(stored.map(({ name }) => path.basename(name, '.json')));
    expect([...stories].toSorted()).toEqual([
      'aggregateStorage.success',
      'billCustomerStorage.put-off',
      'billCustomerStorage.success',
      'billStorage.came-from-another-run',
      'billStorage.went-on-as-new',
      'catchUpWebhooks.success',
      'customer.came-from-another-run',
      'customer.paused',
      'customer.poison',
      'customer.went-on-as-new',
      'deliverUsage.came-from-another-run',
      'deliverUsage.halted-then-delivered',
      'deliverUsage.put-off-then-delivered',
      'deliverUsage.refused',
      'deliverUsage.success',
      'deliverUsage.swept',
      'deliverUsage.went-on-as-new',
      'processFiles.cancelled',
      'processFiles.cast',
      'processFiles.cast-too-late',
      'processFiles.many-chunks',
      'processFiles.missing-file',
      'processFiles.put-off',
      'processFiles.success',
      'processFiles.unknown-customer',
      'processFiles.zero-bytes',
      'repairReservations.success',
      'sendAlerts.came-from-another-run',
      'sendAlerts.went-on-as-new',
      'sweepAlerts.success',
      'sweepUsage.success',
      'sweepWebhooks.success',
    ]);
  });

  test('those that went on as new did', () => {
    const went = stored.filter(({ name }) => name.endsWith('.went-on-as-new.json'));
    const last = went.map(({ name, history }) => [
      name,
      Boolean(history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes),
    ]);
    expect(last).toEqual(went.map(({ name }) => [name, true]));
  });

  test('I8 today’s code goes on with each of them', async () => {
    const results = await replayAll(today());
    const errors = stored.map(({ name }) => [name, results.get(name)?.error?.message]);
    expect(errors).toEqual(stored.map(({ name }) => [name, undefined]));
  });

  test('a planted change, one more timer, is found in each of them', async () => {
    const results = await replayAll(await bundleWithOneMoreTimer());
    const kinds = stored.map(({ name }) => [
      name,
      results.get(name)?.error instanceof DeterminismViolationError,
    ]);
    expect(kinds).toEqual(stored.map(({ name }) => [name, true]));
  });

  test('I10 no secret and nothing of the machine is in them', () => {
    const told =
      /\/(work|home|root|tmp|Users)\/|node_modules|file:|[sr]k_(test|live)_|whsec_|\.ts:\d/;
    const found = stored.filter(({ text }) =>
      [text, ...payloadsOf(text)].some((one) => told.test(one)),
    );
    expect(found.map(({ name }) => name)).toEqual([]);
  });
});
