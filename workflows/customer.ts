/**
 * One customer's events from Stripe, one at a time: those that wait go to one task together, which applies
 * them in their order. The inbox holds them; this remembers only their ids. It ends when nothing has come
 * for a while: an event that races the ending starts it again.
 */
import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { ApplyFailure, ApplyOutcome, EventActivities } from '../activities/index.ts';
import { queryNames, signalNames } from '../domain/temporal-names.ts';
import { eventActivities, tableActivities } from './activity-options.ts';
import type { CustomerInput, CustomerProgress } from '../domain/event-runs.ts';
import type { ProgressOf, SignalArgs } from '../engine/contract.ts';
import { createEventLine } from './event-line.ts';
import { reasonOf } from './failures.ts';

/** A quiet customer's workflow ends after this long. */
const idleFor = '30 seconds';
/** Waiting events that one task may take along: what they have in common is fetched once. */
const mostAtOnce = 50;
/** WH6: at once, after 20 s, after 5 minutes more. */
const mostTries = 3;
const waitsMs = [20_000, 300_000];
/** Stripe or our tables away: 2, 4, 8 … 300 s. */
const firstPauseMs = 2000;
const longestPauseMs = 300_000;
/** Stripe may ask for more patience, and gets this much. */
const longestWaitMs = 600_000;

const stripeEvent = defineSignal<SignalArgs<'customer', 'stripeEvent'>>(signalNames.stripeEvent);
const progressQuery = defineQuery<ProgressOf<'customer'>>(queryNames.progress);

export async function customer(input: CustomerInput): Promise<CustomerProgress> {
  const line = createEventLine(input);
  const tally = input.tally ?? { applied: 0, dead: 0 };
  const { taskQueue } = workflowInfo();
  const activities = {
    together: eventActivities(taskQueue, 'together'),
    alone: eventActivities(taskQueue, 'alone'),
  };
  const trouble: Trouble = { tries: input.tries ?? 0, pauses: input.pauses ?? 0 };
  /** After a task with several was lost: so many go alone, that the one at fault is known. */
  let goAlone = 0;
  setHandler(stripeEvent, line.arrive);
  const progress = (): CustomerProgress => {
    const { pausedBy } = trouble;
    return { waiting: line.count(), ...tally, ...(pausedBy === undefined ? {} : { pausedBy }) };
  };
  setHandler(progressQuery, progress);

  for (;;) {
    // A line that waits out an outage of days has a history as well.
    if (workflowInfo().continueAsNewSuggested) {
      const { tries, pauses } = trouble;
      const { line: name } = input;
      await continueAsNew<typeof customer>({ line: name, ...line.left(), tally, tries, pauses });
    }
    const eventIds = line.first(trouble.tries > 0 || goAlone > 0 ? 1 : mostAtOnce);
    if (eventIds.length === 0) {
      if (!(await condition(() => line.count() > 0, idleFor))) return progress();
      continue;
    }
    const outcome = await applyNext(activities, eventIds);
    if (outcome === undefined) {
      goAlone = eventIds.length;
      continue;
    }
    const { applied, failure } = outcome;
    for (const eventId of eventIds.slice(0, applied)) line.settle(eventId);
    tally.applied += applied;
    if (applied > 0) [trouble.tries, trouble.pauses] = [0, 0];
    const stumbled = eventIds[applied];
    if (failure !== undefined && stumbled !== undefined) {
      if (await waitToTryAgain(trouble, failure)) continue;
      await line.layAside(stumbled, async () => {
        const order = { eventId: stumbled, error: failure.error, tries: trouble.tries };
        const { dead } = await tableActivities.layAsideEvent(order);
        tally[dead ? 'dead' : 'applied'] += 1;
      });
      trouble.tries = 0;
    }
    goAlone = Math.max(0, goAlone - 1);
  }
}

/** Of the event at the head. */
interface Trouble {
  tries: number;
  /** In a row, while Stripe or our tables are away. */
  pauses: number;
  pausedBy?: string;
}

/** False when the event's tries are used up (WH6). To wait for Stripe or our tables is none (WH10). */
async function waitToTryAgain(trouble: Trouble, failure: ApplyFailure): Promise<boolean> {
  const { retryAfterMs = 0 } = failure;
  const asked = Math.min(retryAfterMs, longestWaitMs);
  if (failure.fault === 'outside' || failure.fault === 'key') {
    // A key that is refused is asked for again at one pace, for a person mends it.
    const exponent = failure.fault === 'key' ? 20 : Math.min(trouble.pauses, 20);
    trouble.pauses += 1;
    trouble.pausedBy = failure.error;
    await sleep(Math.max(Math.min(firstPauseMs * 2 ** exponent, longestPauseMs), asked));
    delete trouble.pausedBy;
    return true;
  }
  trouble.pauses = 0;
  trouble.tries += 1;
  if (failure.final || trouble.tries >= mostTries) return false;
  await sleep(Math.max(waitsMs[trouble.tries - 1] ?? longestWaitMs, asked));
  return true;
}

/** Undefined when a task with several events was lost; a single event that was lost has failed. */
async function applyNext(
  { together, alone }: Record<'together' | 'alone', EventActivities>,
  eventIds: string[],
): Promise<ApplyOutcome | undefined> {
  try {
    if (eventIds.length === 1) return await alone.applyEvents({ eventIds });
    return await together.applyEvents({ eventIds });
  } catch (error) {
    if (isCancellation(error)) throw error;
    if (eventIds.length > 1) return undefined;
    return { applied: 0, failure: { error: reasonOf(error), fault: 'event', final: false } };
  }
}
