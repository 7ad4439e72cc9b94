import { Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import type { Activities, EventActivities } from '../../activities/index.ts';
import { signalNames, workflowTypes } from '../../workflows/contract.ts';
import type { CustomerInput, CustomerProgress, EventArrival } from '../../workflows/contract.ts';
import { taskQueue, withTimeSkipping } from '../support/time-skipping.ts';

type Story = (input: CustomerInput) => Promise<CustomerProgress>;

function inbox(apply: (eventId: string, attempt: number) => Promise<void>) {
  const applied: string[] = [];
  const laidAside: { eventId: string; error: string }[] = [];
  const times: number[] = [];
  const activities: Partial<Activities & EventActivities> = {
    applyEvent: async ({ eventId }) => {
      const { attempt, currentAttemptScheduledTimestampMs } = Context.current().info;
      times.push(currentAttemptScheduledTimestampMs);
      await apply(eventId, attempt);
      applied.push(eventId);
      return { outcome: 'applied' };
    },
    layAsideEvent: async (order) => {
      laidAside.push(order);
      await Promise.resolve();
    },
  };
  return { applied, laidAside, times, activities };
}

async function send(env: TestWorkflowEnvironment, eventIds: readonly string[]) {
  const [first = '', ...others] = eventIds;
  const handle = await env.client.workflow.signalWithStart<Story, [EventArrival]>(
    workflowTypes.customer,
    {
      taskQueue,
      workflowId: 'customer/cus_1',
      args: [{ line: 'cus_1' }],
      signal: signalNames.stripeEvent,
      signalArgs: [{ eventId: first }],
    },
  );
  for (const eventId of others) await handle.signal(signalNames.stripeEvent, { eventId });
  return handle;
}

test('WH5 WH3 one at a time, in the order of arrival, repeats dropped, and it ends when idle', async () => {
  let underWay = 0;
  let most = 0;
  const { applied, activities } = inbox(async () => {
    underWay += 1;
    most = Math.max(most, underWay);
    await Context.current().sleep(5);
    underWay -= 1;
  });
  await withTimeSkipping(activities, async (env) => {
    const handle = await send(env, ['evt_1', 'evt_2', 'evt_1', 'evt_3', 'evt_2', 'evt_1']);
    expect(await handle.result()).toEqual({ waiting: 0, applied: 3, dead: 0 });
  });
  expect(applied).toEqual(['evt_1', 'evt_2', 'evt_3']);
  expect(most).toBe(1);
});

test('WH6 a poison event between good ones: three tries within the hour, then the next', async () => {
  const { applied, laidAside, times, activities } = inbox(async (eventId) => {
    if (eventId === 'evt_poison') throw new Error('Stripe HTTP 500: down');
    await Promise.resolve();
  });
  await withTimeSkipping(activities, async (env) => {
    const handle = await send(env, ['evt_1', 'evt_poison', 'evt_2']);
    expect(await handle.result()).toEqual({ waiting: 0, applied: 2, dead: 1 });
  });
  expect(applied).toEqual(['evt_1', 'evt_2']);
  expect(laidAside).toEqual([{ eventId: 'evt_poison', error: 'Stripe HTTP 500: down' }]);
  expect(times).toHaveLength(5);
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(3_600_000);
});

test('WH7 a redrive is applied although it was settled in this run', async () => {
  let mended = false;
  const { applied, activities } = inbox(async (eventId) => {
    if (eventId === 'evt_1' && !mended) throw new Error('no such customer');
    await Promise.resolve();
  });
  await withTimeSkipping(
    {
      ...activities,
      layAsideEvent: async () => {
        mended = true;
        await Promise.resolve();
      },
    },
    async (env) => {
      const handle = await send(env, ['evt_1', 'evt_2']);
      const again = async (): Promise<void> => {
        await handle.signal(signalNames.stripeEvent, { eventId: 'evt_1', again: true });
      };
      while (!applied.includes('evt_2')) await env.sleep('1 second');
      await again();
      expect(await handle.result()).toEqual({ waiting: 0, applied: 2, dead: 1 });
    },
  );
  expect(applied).toEqual(['evt_2', 'evt_1']);
});
