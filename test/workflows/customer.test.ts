import { Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import type { Activities, ApplyFailure, EventActivities } from '../../activities/index.ts';
import { queryNames, signalNames } from '../../engine/contract.ts';
import { signalAs, startAs } from '../support/start.ts';
import { taskQueue, timersOf, withTimeSkipping } from '../support/time-skipping.ts';

const hourMs = 3_600_000;
/** A line that is empty waits so long for more before it ends. */
const idleSeconds = 30;

/** `apply` is told of each event, and how often its task was started; what it throws is the answer. */
function inbox(apply: (eventId: string, attempt: number) => Promise<void>) {
  const applied: string[] = [];
  const laidAside: { eventId: string; error: string; tries: number }[] = [];
  const tasks: { eventIds: string[]; atMs: number }[] = [];
  const activities: Partial<Activities & EventActivities> = {
    applyEvents: async ({ eventIds }) => {
      const { attempt, currentAttemptScheduledTimestampMs: atMs } = Context.current().info;
      tasks.push({ eventIds, atMs });
      for (const [index, eventId] of eventIds.entries()) {
        try {
          await apply(eventId, attempt);
        } catch (error) {
          if (error instanceof Lost) throw error;
          return { applied: index, failure: failureOf(error) };
        }
        applied.push(eventId);
      }
      return { applied: eventIds.length };
    },
    layAsideEvent: async (order) => {
      laidAside.push(order);
      return await Promise.resolve({ dead: true });
    },
  };
  return { applied, laidAside, tasks, activities };
}

/** Nobody's poison: Stripe is away, or refuses our key. */
class Away extends Error {
  fault: 'outside' | 'key';
  retryAfterMs: number | undefined;
  constructor(fault: 'outside' | 'key', retryAfterMs?: number) {
    super(`Stripe is away: ${fault}`);
    this.fault = fault;
    this.retryAfterMs = retryAfterMs;
  }
}

function failureOf(error: unknown): ApplyFailure {
  if (!(error instanceof Away)) return { error: String(error), fault: 'event', final: false };
  const { message, fault, retryAfterMs } = error;
  return {
    error: message,
    fault,
    final: false,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** For Temporal the same as a worker that died: the task failed, and nobody knows how far it came. */
class Lost extends Error {}

const run = { taskQueue, workflowId: 'customer/cus_1' };

/** All are waiting when the first task is made. */
async function start(env: TestWorkflowEnvironment, waiting: string[]) {
  return await startAs(env.client, run, 'customer', { line: 'cus_1', waiting });
}

async function send(env: TestWorkflowEnvironment, eventIds: readonly string[]) {
  const [first = '', ...others] = eventIds;
  const arrival = { eventId: first };
  const handle = await signalAs(env.client, run, 'customer', { line: 'cus_1' }, [
    signalNames.stripeEvent,
    arrival,
  ]);
  for (const eventId of others) await handle.signal(signalNames.stripeEvent, { eventId });
  return handle;
}

const names = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `evt_${from + index}`);

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

test('WH5 those that wait go together, fifty at a time; a task may end before its last', async () => {
  const { applied, tasks, activities } = inbox(async () => await Promise.resolve());
  const { applyEvents } = activities;
  activities.applyEvents = async ({ eventIds }) =>
    (await applyEvents?.({ eventIds: eventIds.slice(0, 40) })) ?? { applied: 0 };
  await withTimeSkipping(activities, async (env) => {
    const handle = await start(env, names(0, 120));
    expect(await handle.result()).toEqual({ waiting: 0, applied: 120, dead: 0 });
  });
  expect(applied).toEqual(names(0, 120));
  expect(tasks.map(({ eventIds }) => eventIds.length)).toEqual([40, 40, 40]);
});

test('WH6 a poison event between good ones: three tries within the hour, then the next', async () => {
  const { applied, laidAside, tasks, activities } = inbox(async (eventId) => {
    if (eventId === 'evt_poison') throw new Error('Stripe HTTP 500: down');
    await Promise.resolve();
  });
  await withTimeSkipping(activities, async (env) => {
    const handle = await start(env, ['evt_1', 'evt_poison', 'evt_2', 'evt_3']);
    expect(await handle.result()).toEqual({ waiting: 0, applied: 3, dead: 1 });
  });
  expect(applied).toEqual(['evt_1', 'evt_2', 'evt_3']);
  const error = 'Error: Stripe HTTP 500: down';
  expect(laidAside).toEqual([{ eventId: 'evt_poison', error, tries: 3 }]);
  expect(tasks.map(({ eventIds }) => eventIds)).toEqual([
    ['evt_1', 'evt_poison', 'evt_2', 'evt_3'],
    ['evt_poison'],
    ['evt_poison'],
    ['evt_2', 'evt_3'],
  ]);
  expect((tasks[2]?.atMs ?? 0) - (tasks[0]?.atMs ?? 0)).toBeLessThan(hourMs);
});

test('WH6 one that can never be applied is laid aside at once', async () => {
  const { laidAside, activities } = inbox(async () => await Promise.resolve());
  activities.applyEvents = async ({ eventIds }) =>
    await Promise.resolve(
      eventIds[0] === 'evt_1'
        ? { applied: 0, failure: { error: 'not in the inbox', fault: 'event', final: true } }
        : { applied: eventIds.length },
    );
  await withTimeSkipping(activities, async (env) => {
    const handle = await start(env, ['evt_1', 'evt_2']);
    expect(await handle.result()).toEqual({ waiting: 0, applied: 1, dead: 1 });
  });
  expect(laidAside).toEqual([{ eventId: 'evt_1', error: 'not in the inbox', tries: 1 }]);
});

test('WH6 a task that was lost is no try: it is repeated, and the event gets its three', async () => {
  let failures = 0;
  const { applied, laidAside, tasks, activities } = inbox(async (_eventId, attempt) => {
    if (attempt < 3) throw new Lost('the worker died');
    failures += 1;
    if (failures < 3) throw new Error('not yet');
    await Promise.resolve();
  });
  await withTimeSkipping(activities, async (env) => {
    const handle = await send(env, ['evt_1']);
    expect(await handle.result()).toEqual({ waiting: 0, applied: 1, dead: 0 });
  });
  expect(applied).toEqual(['evt_1']);
  expect(laidAside).toEqual([]);
  expect(tasks).toHaveLength(9);
});

test('WH6 one event kills every worker: its neighbours are applied, it is dead within the hour', async () => {
  const { applied, laidAside, tasks, activities } = inbox(async (eventId) => {
    if (eventId === 'evt_2') throw new Lost('the worker died');
    await Promise.resolve();
  });
  await withTimeSkipping(activities, async (env) => {
    const handle = await start(env, names(1, 5));
    expect(await handle.result()).toEqual({ waiting: 0, applied: 3, dead: 1 });
  });
  // In the inbox an event is applied once; here the first is told of a second time.
  expect([...new Set(applied)]).toEqual(['evt_1', 'evt_3', 'evt_4']);
  expect(laidAside).toEqual([{ eventId: 'evt_2', error: 'the worker died', tries: 3 }]);
  const itsOwn = tasks.filter(({ eventIds }) => eventIds.join() === 'evt_2');
  expect(itsOwn).toHaveLength(9);
  expect((itsOwn.at(-1)?.atMs ?? 0) - (itsOwn[0]?.atMs ?? 0)).toBeLessThan(hourMs);
});

test('WH6 WH3 applied after all by a try that was believed lost: it is counted as applied', async () => {
  const { activities } = inbox(async () => {
    await Promise.resolve();
    throw new Error('no answer');
  });
  activities.layAsideEvent = async () => await Promise.resolve({ dead: false });
  await withTimeSkipping(activities, async (env) => {
    const handle = await send(env, ['evt_1']);
    expect(await handle.result()).toEqual({ waiting: 0, applied: 1, dead: 0 });
  });
});

test('WH5 WH6 WH10 a run that goes on has the tries and the pauses of the run before', async () => {
  const failures = [new Away('outside'), new Error('no')];
  const { laidAside, activities } = inbox(async () => {
    await Promise.resolve();
    throw failures.shift() ?? new Error('a fourth try');
  });
  await withTimeSkipping(activities, async (env) => {
    const before = { line: 'cus_1', waiting: ['evt_1'], tries: 2, pauses: 3 };
    const handle = await startAs(env.client, run, 'customer', before);
    expect(await handle.result()).toEqual({ waiting: 0, applied: 0, dead: 1 });
    expect(await timersOf(handle)).toEqual([16, idleSeconds]);
  });
  expect(laidAside).toEqual([{ eventId: 'evt_1', error: 'Error: no', tries: 3 }]);
});

test.each(['after it was settled', 'while it is laid aside'])(
  'WH7 a redrive %s is applied, once',
  async (when) => {
    let mended = false;
    let redrive: (() => Promise<void>) | undefined;
    const { applied, activities } = inbox(async (eventId) => {
      if (eventId === 'evt_1' && !mended) throw new Error('no such customer');
      await Promise.resolve();
    });
    activities.layAsideEvent = async () => {
      mended = true;
      if (when === 'while it is laid aside') await redrive?.();
      return { dead: true };
    };
    await withTimeSkipping(activities, async (env) => {
      const handle = await start(env, ['evt_1', 'evt_2']);
      redrive = async () => {
        await handle.signal(signalNames.stripeEvent, { eventId: 'evt_1', again: true });
      };
      if (when === 'after it was settled') {
        while (!applied.includes('evt_2')) await env.sleep('1 second');
        await redrive();
      }
      expect(await handle.result()).toEqual({ waiting: 0, applied: 2, dead: 1 });
    });
    expect(applied).toEqual(['evt_2', 'evt_1']);
  },
);

test('WH10 Stripe away for hours: no try of WH6, growing pauses, and it goes on by itself', async () => {
  let left = 12;
  const { applied, laidAside, activities } = inbox(async () => {
    await Promise.resolve();
    if (left > 0) {
      left -= 1;
      throw new Away('outside');
    }
  });
  await withTimeSkipping(activities, async (env) => {
    const handle = await start(env, names(0, 3));
    expect(await handle.result()).toEqual({ waiting: 0, applied: 3, dead: 0 });
    const growing = [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300];
    expect(await timersOf(handle)).toEqual([...growing, idleSeconds]);
  });
  expect([applied, laidAside]).toEqual([names(0, 3), []]);
});

test('WH10 Stripe’s own word on when to come again counts; an answer begins the pauses anew', async () => {
  const asked = [90_000, undefined];
  const { laidAside, activities } = inbox(async (eventId) => {
    await Promise.resolve();
    if (eventId === 'evt_0' && asked.length === 2) throw new Away('outside', asked.shift());
    if (eventId === 'evt_1' && asked.length === 1) throw new Away('outside', asked.shift());
  });
  await withTimeSkipping(activities, async (env) => {
    const handle = await start(env, names(0, 2));
    expect(await handle.result()).toEqual({ waiting: 0, applied: 2, dead: 0 });
    expect(await timersOf(handle)).toEqual([90, 2, idleSeconds]);
  });
  expect(laidAside).toEqual([]);
});

test('WH10 a key that is refused halts the line, says so, and is asked for again every five minutes', async () => {
  let mended = false;
  const { applied, laidAside, activities } = inbox(async () => {
    await Promise.resolve();
    if (!mended) throw new Away('key');
  });
  await withTimeSkipping(activities, async (env) => {
    const handle = await start(env, ['evt_0']);
    await env.sleep('1 hour');
    const paused = { waiting: 1, applied: 0, dead: 0, pausedBy: 'Stripe is away: key' };
    expect(await handle.query(queryNames.progress)).toEqual(paused);
    mended = true;
    expect(await handle.result()).toEqual({ waiting: 0, applied: 1, dead: 0 });
    expect(new Set((await timersOf(handle)).slice(0, -1))).toEqual(new Set([300]));
  });
  expect([applied, laidAside]).toEqual([['evt_0'], []]);
});

test('WH10 WH6 an outage between two tries of an event is none: three of its own, and then the next', async () => {
  const failures = [
    new Error('no'),
    new Away('outside'),
    new Error('no'),
    new Away('outside'),
    new Error('no'),
  ];
  const { applied, laidAside, activities } = inbox(async (eventId) => {
    await Promise.resolve();
    const failure = eventId === 'evt_0' ? failures.shift() : undefined;
    if (failure !== undefined) throw failure;
  });
  await withTimeSkipping(activities, async (env) => {
    const handle = await start(env, names(0, 2));
    expect(await handle.result()).toEqual({ waiting: 0, applied: 1, dead: 1 });
  });
  expect(laidAside).toEqual([{ eventId: 'evt_0', error: 'Error: no', tries: 3 }]);
  expect(applied).toEqual(['evt_1']);
});
