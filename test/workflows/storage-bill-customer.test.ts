import { ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import type { UsageSettled } from '../../domain/usage.ts';
import { signalNames } from '../../engine/contract.ts';
import type { BillCustomerStorageInput } from '../../domain/storage-runs.ts';
import { startAs } from '../support/start.ts';
import { taskQueue, withTimeSkipping } from '../support/time-skipping.ts';

const order: BillCustomerStorageInput = { customerId: 'cus_1', month: '2026-02' };
const identifier = 'storage-cus_1-2026-02';
const minuteMs = 60_000;

function recording(changes: Partial<Activities> = {}) {
  const calls: string[] = [];
  const activities: Partial<Activities> = {
    prepareBill: async () => {
      calls.push('prepare');
      return await Promise.resolve({ state: 'waiting', bytes: '9007199254740993' });
    },
    completeBill: async () => {
      calls.push('complete');
      return await Promise.resolve({ billed: true });
    },
    failBill: async ({ error }) => {
      calls.push(`fail: ${error}`);
      await Promise.resolve();
    },
    ...changes,
  };
  return { calls, activities };
}

async function start(env: TestWorkflowEnvironment) {
  const run = { taskQueue, workflowId: 'bill-storage/cus_1/2026-02' };
  return await startAs(env.client, run, 'billCustomerStorage', order);
}

async function told(env: TestWorkflowEnvironment, settled: Omit<UsageSettled, 'identifier'>) {
  const handle = await start(env);
  await handle.signal(signalNames.usageSettled, { identifier, ...settled });
  return handle;
}

describe('SB13 what Stripe has is closed', () => {
  test('delivered: days marked and the bill closed after Stripe took it', async () => {
    const { calls, activities } = recording();
    await withTimeSkipping(activities, async (env) => {
      const handle = await told(env, { state: 'delivered' });
      expect(await handle.result()).toEqual({ state: 'billed', bytes: '9007199254740993' });
    });
    expect(calls).toEqual(['prepare', 'complete']);
  });

  test('SB15 SB24 delivered before: closed; billed before, or discarded: skipped and nothing touched', async () => {
    let state: 'delivered' | 'billed' | 'closed' | 'left' = 'delivered';
    let ours = true;
    const { calls, activities } = recording({
      prepareBill: async () => await Promise.resolve({ state, bytes: '7' }),
      completeBill: async () => await Promise.resolve({ billed: ours }),
    });
    await withTimeSkipping(activities, async (env) => {
      expect(await (await start(env)).result()).toEqual({ state: 'billed', bytes: '7' });
      for (const untouched of ['billed', 'left'] as const) {
        state = untouched;
        expect(await (await start(env)).result()).toEqual({ state: 'skipped', bytes: '7' });
      }
      // By this very run, in a task whose result was lost: it is counted, and counted once.
      state = 'closed';
      expect(await (await start(env)).result()).toEqual({ state: 'billed', bytes: '7' });
      [state, ours] = ['delivered', false];
      expect(await (await start(env)).result()).toEqual({ state: 'skipped', bytes: '7' });
    });
    expect(calls).toEqual([]);
  });
});

describe('SB14 a failure is said, and leaves `Failed` so that the month may be billed again', () => {
  test('rejected, put off, parked', async () => {
    const { calls, activities } = recording();
    const cases = [
      { state: 'rejected', error: 'No such customer' },
      { state: 'pending', error: 'Stripe HTTP 429' },
      { state: 'parked', error: 'retries ran out' },
    ] as const;
    await withTimeSkipping(activities, async (env) => {
      for (const settled of cases) {
        const handle = await told(env, settled);
        const failure: unknown = await handle.result().catch((reason: unknown) => reason);
        expect(failure).toMatchObject({ cause: { type: 'BillFailed', message: settled.error } });
        expect((await handle.describe()).status.name).toBe('FAILED');
      }
    });
    expect(calls).toEqual(cases.flatMap(({ error }) => ['prepare', `fail: ${error}`]));
  });

  test('I8 never told: it ends by itself after an hour and says that the delivery waits', async () => {
    const { calls, activities } = recording();
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env);
      await expect(handle.result()).rejects.toThrow('Workflow execution failed');
      const { status, startTime, closeTime } = await handle.describe();
      const minutes = Math.floor(((closeTime?.getTime() ?? 0) - startTime.getTime()) / minuteMs);
      expect([status.name, minutes]).toEqual(['FAILED', 60]);
    });
    expect(calls).toEqual(['prepare', 'fail: the delivery to Stripe is still waiting']);
  });

  test.each(['prepareBill', 'completeBill'] as const)(
    '%s is refused by our own rules: said in the bill and in a letter, once',
    async (step) => {
      let tries = 0;
      const refuse = async () => {
        tries += 1;
        await Promise.resolve();
        throw ApplicationFailure.nonRetryable('quantity is 1, not 2', 'Refused');
      };
      const { calls, activities } = recording({ [step]: refuse });
      await withTimeSkipping(activities, async (env) => {
        const early = step === 'prepareBill';
        const handle = early ? await start(env) : await told(env, { state: 'delivered' });
        const failure: unknown = await handle.result().catch((reason: unknown) => reason);
        expect(failure).toMatchObject({ cause: { type: 'BillFailed' } });
        expect((await handle.describe()).status.name).toBe('FAILED');
      });
      expect([tries, calls.at(-1)]).toEqual([1, 'fail: quantity is 1, not 2']);
    },
  );

  test('a table that is away for an hour is waited out, not a failure', async () => {
    let tries = 0;
    const { calls, activities } = recording({
      prepareBill: async () => {
        tries += 1;
        await Promise.resolve();
        if (tries < 60) throw new Error('the table is away');
        return { state: 'delivered', bytes: '1' };
      },
    });
    await withTimeSkipping(activities, async (env) => {
      expect(await (await start(env)).result()).toEqual({ state: 'billed', bytes: '1' });
    });
    expect([tries, calls]).toEqual([60, ['complete']]);
  });
});
