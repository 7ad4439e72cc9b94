/** The runs of `customer` on a real server: what one is told, and what it leaves to the next. */
import { Context } from '@temporalio/activity';
import { expect, test } from 'vitest';
import type { Activities, ApplyOutcome, EventActivities } from '../../activities/index.ts';
import type { CustomerInput, CustomerProgress } from '../../domain/event-runs.ts';
import { workflowIds } from '../../domain/ids.ts';
import { eventTaskQueue } from '../../domain/temporal-names.ts';
import { queryNames, signalNames } from '../../engine/contract.ts';
import { useEarlyRuns } from '../support/early-runs.ts';
import { runsOf } from '../support/runs-of.ts';
import type { Events } from '../support/runs-of.ts';
import { startAs } from '../support/start.ts';

/** An event that is applied alone is six events of history: a run applies about ten. */
const { temporal, withWorkers } = useEarlyRuns(60);

const names = (count: number) => Array.from({ length: count }, (_, index) => `evt_${index}`);

/** One event a task, so that histories grow; `apply` is told of each. */
function oneByOne(apply: (eventId: string) => Promise<ApplyOutcome | undefined>) {
  const applied: string[] = [];
  const laidAside: { eventId: string; tries: number }[] = [];
  const activities: EventActivities & Pick<Activities, 'layAsideEvent'> = {
    applyEvents: async ({ eventIds: [eventId = ''] }) => {
      const failed = await apply(eventId);
      if (failed !== undefined) return failed;
      applied.push(eventId);
      return { applied: 1 };
    },
    layAsideEvent: async ({ eventId, tries }) => {
      laidAside.push({ eventId, tries });
      return await Promise.resolve({ dead: true });
    },
  };
  return { applied, laidAside, activities };
}

/** The line's workflow with workers of its own; it is left when the story ends, and the server with it. */
async function withLine(
  line: string,
  activities: ReturnType<typeof oneByOne>['activities'],
  from: Omit<CustomerInput, 'line'>,
  story: (told: {
    tell: (eventId: string) => Promise<void>;
    progress: () => Promise<CustomerProgress>;
    runs: () => ReturnType<typeof runsOf>;
  }) => Promise<void>,
): Promise<void> {
  const { applyEvents, layAsideEvent } = activities;
  const queues = [
    { taskQueue: line, activities: { layAsideEvent } },
    { taskQueue: eventTaskQueue(line), activities: { applyEvents } },
  ] as const;
  await withWorkers(queues, async ({ client }) => {
    const run = { taskQueue: line, workflowId: `customer/${line}` };
    const first = await startAs(client, run, 'customer', { line, ...from });
    const current = client.workflow.getHandle(run.workflowId);
    await story({
      tell: async (eventId) => {
        await current.signal(signalNames.stripeEvent, { eventId });
      },
      progress: async () => await current.query<CustomerProgress>(queryNames.progress),
      runs: async () => await runsOf(client, run.workflowId, first.firstExecutionRunId),
    });
  });
}

const patience = { timeout: 300_000, interval: 100 };

test('WH3 the server takes the same event once, twenty times at once and again; a redrive is another', async () => {
  const { client, engine } = temporal();
  // Nobody works on this queue: the run only hears.
  const line = 'cus_told';
  const signals = async (): Promise<unknown[]> => {
    const { events } = await client.workflow.getHandle(workflowIds.customer(line)).fetchHistory();
    return (events ?? []).flatMap((event) => {
      const told = event.workflowExecutionSignaledEventAttributes?.input?.payloads?.[0]?.data;
      return told ? [JSON.parse(Buffer.from(told).toString()) as unknown] : [];
    });
  };
  const twenty = Array.from({ length: 20 }, async () => await engine.announceEvent(line, 'evt_1'));
  await Promise.all(twenty);
  await engine.announceEvent(line, 'evt_1');
  await engine.announceEvent(line, 'evt_2');
  const once = [
    { eventId: 'evt_1', again: false },
    { eventId: 'evt_2', again: false },
  ];
  expect(await signals()).toEqual(once);
  await engine.announceEvent(line, 'evt_1', true);
  expect(await signals()).toEqual([...once, { eventId: 'evt_1', again: true }]);
});

test('WH5 what waits goes along, in its order, and so do the figures; what comes meanwhile is behind it', async () => {
  let tell: ((eventId: string) => Promise<void>) | undefined;
  const { applied, activities } = oneByOne(async (eventId) => {
    if (eventId === 'evt_15') await tell?.('evt_late');
    return undefined;
  });
  await withLine('cus_waits', activities, { waiting: names(40) }, async (line) => {
    tell = line.tell;
    await expect.poll(line.progress, patience).toEqual({ waiting: 0, applied: 41, dead: 0 });
    expect((await line.runs()).length).toBeGreaterThan(3);
  });
  expect(applied).toEqual([...names(40), 'evt_late']);
});

test('WH5 WH3 what an earlier run settled is not applied again', async () => {
  let tell: ((eventId: string) => Promise<void>) | undefined;
  const { applied, activities } = oneByOne(async (eventId) => {
    // No request's id tells the server that it had the first one: it was another run's.
    if (eventId === 'evt_24') for (const name of ['evt_0', 'evt_new']) await tell?.(name);
    return undefined;
  });
  await withLine('cus_settled', activities, { waiting: names(25) }, async (line) => {
    tell = line.tell;
    await expect.poll(line.progress, patience).toMatchObject({ waiting: 0 });
    expect((await line.runs()).length).toBeGreaterThan(2);
  });
  expect(applied).toEqual([...names(25), 'evt_new']);
});

test('WH5 WH10 how long an outage has been waited out goes along: the next pause is no first one', async () => {
  let failingRun: string | undefined;
  let failures = 0;
  const { activities } = oneByOne(async (eventId) => {
    const { runId = '' } = Context.current().info.workflowExecution ?? {};
    await Promise.resolve();
    if (eventId !== 'evt_8') return undefined;
    failingRun ??= runId;
    if (runId !== failingRun) return undefined;
    failures += 1;
    return { applied: 0, failure: { error: 'away', fault: 'outside', final: false } };
  });
  await withLine('cus_paused', activities, { waiting: names(10) }, async (line) => {
    await expect.poll(line.progress, patience).toMatchObject({ waiting: 0, applied: 10 });
    const runs = await line.runs();
    const next = runs.findIndex(([begun]) => runIdOf(begun) === failingRun) + 1;
    expect(inputOf(runs[next]?.[0])).toEqual({
      line: 'cus_paused',
      waiting: ['evt_8', 'evt_9'],
      settled: names(8),
      tally: { applied: 8, dead: 0 },
      tries: 0,
      pauses: failures,
    });
  });
  expect(failures).toBeGreaterThan(0);
});

type Event = Events[number];

const runIdOf = (begun: Event | undefined) =>
  begun?.workflowExecutionStartedEventAttributes?.originalExecutionRunId;

function inputOf(begun: Event | undefined): unknown {
  const input = begun?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
  return JSON.parse(Buffer.from(input ?? '').toString());
}
