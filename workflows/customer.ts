/**
 * One customer's events from Stripe, one at a time. The inbox holds them; this remembers only which are
 * waiting and which were applied lately. It ends when nothing has come for a while: an event that races
 * the ending starts it again.
 */
import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { queryNames, signalNames } from '../domain/temporal-names.ts';
import { eventActivities, tableActivities } from './activity-options.ts';
import type { CustomerInput, CustomerProgress, EventArrival } from './contract.ts';
import { reasonOf } from './failures.ts';

/** A quiet customer's workflow ends after this long. */
const idleFor = '30 seconds';
/** Events remembered as applied; the inbox remembers all of them. */
const mostRemembered = 1000;

const stripeEvent = defineSignal<[EventArrival]>(signalNames.stripeEvent);
const progressQuery = defineQuery<CustomerProgress>(queryNames.progress);

export async function customer(input: CustomerInput): Promise<CustomerProgress> {
  const waiting = new Set(input.waiting);
  const settled = new Set(input.settled);
  const tally = input.tally ?? { applied: 0, dead: 0 };
  const stripe = eventActivities(workflowInfo().taskQueue);
  /** Redriven while it was being laid aside. */
  const wantedAgain = new Set<string>();
  setHandler(stripeEvent, ({ eventId, again = false }) => {
    if (again && !settled.delete(eventId)) wantedAgain.add(eventId);
    if (!settled.has(eventId)) waiting.add(eventId);
  });
  const progress = (): CustomerProgress => ({ waiting: waiting.size, ...tally });
  setHandler(progressQuery, progress);

  for (;;) {
    const [eventId] = waiting;
    if (eventId === undefined) {
      if (!(await condition(() => waiting.size > 0, idleFor))) return progress();
      continue;
    }
    try {
      await stripe.applyEvent({ eventId });
      tally.applied += 1;
    } catch (error) {
      // Tried three times within the hour: a person's to look at, and the next ones go on (WH6).
      await tableActivities.layAsideEvent({ eventId, error: reasonOf(error) });
      tally.dead += 1;
    }
    waiting.delete(eventId);
    if (wantedAgain.delete(eventId)) waiting.add(eventId);
    else remember(settled, eventId);
    if (workflowInfo().continueAsNewSuggested) {
      const { line } = input;
      const left = { waiting: [...waiting], settled: [...settled] };
      await continueAsNew<typeof customer>({ line, ...left, tally });
    }
  }
}

function remember(settled: Set<string>, eventId: string): void {
  settled.add(eventId);
  const [oldest] = settled;
  if (settled.size > mostRemembered && oldest !== undefined) settled.delete(oldest);
}
