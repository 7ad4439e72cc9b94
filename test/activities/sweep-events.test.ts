/** What was received and is nobody's: found, and told to its line again (WH2, WH24). */
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { createWebhookActivities } from '../../activities/webhooks.ts';
import type { Dependencies } from '../../activities/dependencies.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { receive, stage, useEvents } from './events-support.ts';

useEvents();

const event = (id: string, customer: string) => ({
  id,
  object: 'event',
  type: 'customer.updated',
  created: Math.floor(Date.now() / 1000),
  livemode: false,
  data: { object: { id: customer, object: 'customer' } },
});

/** Who is told what, by a clock of its own. */
function sweeper(aheadMs: number, announce?: () => Promise<void>) {
  const told: [string, string][] = [];
  const { deps } = stage();
  const metrics = createMetrics();
  const changes: Partial<Dependencies> = {
    metrics,
    now: () => new Date(Date.now() + aheadMs),
    signals: {
      ...deps.signals,
      announceEvent: async (line, eventId) => {
        await announce?.();
        told.push([line, eventId]);
      },
    },
  };
  const activities = createWebhookActivities({ ...deps, ...changes });
  const environment = new MockActivityEnvironment();
  return {
    told,
    metrics,
    sweep: async (): ReturnType<typeof activities.sweepEvents> =>
      await environment.run(activities.sweepEvents),
    catchUp: async (): ReturnType<typeof activities.catchUpEvents> =>
      await environment.run(activities.catchUpEvents, {}),
  };
}

test('WH2 untold for 30 s: told again, counted, and not again at once; what is settled is not', async () => {
  await receive(event('evt_sweep1', 'cus_sweep1'));
  await receive(event('evt_sweep2', 'cus_sweep2'));
  await stage().services.webhookEvents.settle('evt_sweep2', 'applied');
  const early = sweeper(0);
  expect(await early.sweep()).toEqual({ told: 0, waiting: 1 });
  const due = sweeper(31_000);
  expect(await due.sweep()).toEqual({ told: 1, waiting: 1 });
  expect(due.told).toEqual([['cus_sweep1', 'evt_sweep1']]);
  expect((await due.metrics.webhooksWaiting.get()).values[0]?.value).toBe(1);
  expect((await due.metrics.webhooksToldAgain.get()).values[0]?.value).toBe(1);
  expect(await due.sweep()).toEqual({ told: 0, waiting: 1 });
  expect((await sweeper(400_000).sweep()).told).toBe(1);
  await stage().services.webhookEvents.settle('evt_sweep1', 'applied');
  expect(await sweeper(4_000_000).sweep()).toEqual({ told: 0, waiting: 0 });
});

test('WH2 Temporal does not answer: the sweep fails, and the next one tells', async () => {
  await receive(event('evt_away', 'cus_away'));
  const away = sweeper(31_000, async () => await Promise.reject(new Error('no Temporal')));
  await expect(away.sweep()).rejects.toThrow('no Temporal');
  const back = sweeper(31_000);
  expect((await back.sweep()).told).toBe(1);
  expect(back.told).toEqual([['cus_away', 'evt_away']]);
  await stage().services.webhookEvents.settle('evt_away', 'applied');
});

test('WH2 WH24 a catch-up names what waits, tells it at once, and finds thin events that never came', async () => {
  await receive(event('evt_waits', 'cus_waits'));
  const { id } = await stage().services.control.reportMeterErrors({
    errors: [{ identifier: 'job-of-nobody' }],
  });
  const { catchUp, told } = sweeper(0);
  expect(await catchUp()).toEqual({ seen: 1, added: 1, waiting: 1, waitingIds: ['evt_waits'] });
  expect(told).toEqual([
    ['cus_waits', 'evt_waits'],
    [`no-customer/meter-error/${id}`, id],
  ]);
  expect(await stage().services.webhookEvents.get(id)).toMatchObject({
    status: 'received',
    thin: true,
  });
  await stage().services.webhookEvents.settle(id, 'applied');
  expect(await sweeper(0).catchUp()).toMatchObject({ seen: 1, added: 0 });
});
